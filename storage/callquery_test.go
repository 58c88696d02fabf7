package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// plantCalls takes in priced calls as history: the accounts are charged for a run of calls in turn,
// account accounts+1 terminates every third call.
func plantCalls(t testing.TB, db *DB, n, accounts, run int, every time.Duration) {
	t.Helper()
	ctx := context.Background()
	if err := db.Update(ctx, func(tx *Tx) error {
		for i := 2; i <= accounts+1; i++ {
			a := &rating.Account{ID: rating.AccountID(i), Name: fmt.Sprint("account ", i), Contractor: 1, Timezone: [...]string{"Europe/Kyiv", "UTC", "America/New_York"}[i%3]}
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	start := testClock.Add(-time.Duration(n) * every).UnixMicro()
	const chunk = 20_000
	for from := 0; from < n; from += chunk {
		if err := db.Update(ctx, func(tx *Tx) error {
			for i := from; i < min(from+chunk, n); i++ {
				call := plantedCall(i, start+int64(i)*every.Microseconds(), accounts, run)
				if v, err := tx.Charge(call); err != nil || v.Outcome != rating.OutcomeRated && v.Outcome != rating.OutcomeFree {
					return fmt.Errorf("call %d: %s %s %w", i, v.Outcome, v.Detail, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func plantedCall(i int, at int64, accounts, run int) *rating.Call {
	c := &rating.Call{Rated: true}
	c.SetInt(rating.CDRTimeStart, at)
	c.SetInt(rating.CDRCustomerAccID, int64(i/run%accounts+1))
	if i%3 == 0 {
		c.SetInt(rating.CDRVendorAccID, int64(accounts+1))
	}
	for _, f := range []rating.CDRField{rating.CDRDestinationInitialRate, rating.CDRDestinationNextRate} {
		c.SetInt(f, 12_000_000)
	}
	for _, f := range []rating.CDRField{rating.CDRDestinationInitialInterval, rating.CDRDestinationNextInterval, rating.CDRCustomerDuration} {
		c.SetInt(f, 60)
	}
	c.SetText(rating.CDRDestinationPrefix, "4420")
	c.SetInt(rating.CDRDuration, int64(i%300))
	c.SetBool(rating.CDRSuccess, i%300 != 0)
	c.SetInt(rating.CDRCustomerPrice, int64(i%300)*1000)
	c.SetText(rating.CDRDstPrefixRouting, fmt.Sprint(442070000000+i))
	c.SetText(rating.CDRSrcPrefixRouting, "380441234567")
	c.SetText(rating.CDROrigCallID, fmt.Sprintf("call-%d@example", i))
	return c
}

func TestASearchFindsWhatReadingEveryCallFinds(t *testing.T) {
	for _, c := range []struct {
		name          string
		accounts, run int
	}{
		{"near one another", 3, 1},
		{"further apart than is looked", 40, 1},
		{"side by side for long, then none", 3, 700},
		{"side by side for a while", 3, 270},
	} {
		t.Run(c.name, func(t *testing.T) { searchAgrees(t, c.accounts, c.run) })
	}
}

func searchAgrees(t *testing.T, accounts, run int) {
	db := openTest(t)
	plantCalls(t, db, 6_000, accounts, run, 27*time.Second+333*time.Microsecond)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	end := testClock.UnixMicro()
	for i := range 150 {
		s := CallSearch{Side: rating.Side(rnd.IntN(2)), Newest: rnd.IntN(2) == 0}
		if rnd.IntN(3) > 0 {
			s.Accounts = []rating.AccountID{}
			for id := range rating.AccountID(accounts + 2) {
				if rnd.IntN(max(2, accounts/2)) == 0 {
					s.Accounts = append(s.Accounts, id)
				}
			}
		}
		bound := func() int64 { // now and then exactly at a call, or beside it
			at := end - int64(rnd.IntN(6_000))*(27*time.Second+333*time.Microsecond).Microseconds()
			return at + []int64{0, 0, 1, -1, 500, 86_400_000_000}[rnd.IntN(6)]
		}
		if rnd.IntN(2) == 0 {
			s.From = bound()
		}
		if rnd.IntN(2) == 0 {
			s.Till = bound()
		}
		if rnd.IntN(3) == 0 {
			s.Where = append(s.Where, CallCond{Field: rating.CDRDuration, Within: []CallRange{{50, 99}}, Not: rnd.IntN(2) == 0})
		}
		if rnd.IntN(5) == 0 {
			s.Where = append(s.Where, CallCond{Field: rating.CDRVendorAccID, Null: true})
		}
		if rnd.IntN(5) == 0 {
			s.Where = append(s.Where, CallCond{Field: rating.CDRDstPrefixRouting, Text: func(b []byte) bool { return b[len(b)-1] == '7' }})
		}
		skip, limit := rnd.Int64N(200), 1+rnd.Int64N(60)
		if rnd.IntN(3) == 0 {
			skip = rnd.Int64N(6_000)
		}
		err := db.View(context.Background(), func(tx *Tx) error {
			want, err := naiveSearch(tx, &s)
			if err != nil {
				return err
			}
			page, total, err := tx.CallPage(context.Background(), &s, skip, limit)
			if err != nil {
				return err
			}
			if int(total) != len(want) {
				t.Errorf("search %d %+v: total = %d, want %d", i, s, total, len(want))
			}
			want = want[min(int(skip), len(want)):]
			want = want[:min(int(limit), len(want))]
			got := make([]rating.CDRID, len(page))
			for i := range page {
				got[i] = page[i].ID()
			}
			if !slices.Equal(got, want) {
				t.Errorf("search %d %+v skip %d: page = %v, want %v", i, s, skip, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// naiveSearch decodes every call.
func naiveSearch(tx *Tx, s *CallSearch) (ids []rating.CDRID, err error) {
	c := tx.Txn.Cursor(bCDR)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var cdr rating.CDR
		if err := decodeCDR(rating.CDRID(kv.ID(k)), v, &cdr); err != nil {
			return nil, err
		}
		who := cdr.Customer()
		if s.Side == rating.VendorSide {
			who = cdr.Vendor()
		}
		at := cdr.Int(rating.CDRTimeStart)
		if s.Accounts != nil && (who == 0 || !slices.Contains(s.Accounts, who)) || at < s.From || s.Till != 0 && at >= s.Till {
			continue
		}
		ok := true
		for _, w := range s.Where {
			switch {
			case !cdr.Has(w.Field):
				ok = ok && w.Null
			case w.Text != nil:
				ok = ok && w.Text([]byte(cdr.Text(w.Field))) != w.Not
			default:
				in := slices.ContainsFunc(w.Within, func(r CallRange) bool { return r.Least <= cdr.Int(w.Field) && cdr.Int(w.Field) <= r.Most })
				ok = ok && in != w.Not
			}
		}
		if ok {
			ids = append(ids, cdr.ID)
		}
	}
	if s.Newest {
		slices.Reverse(ids)
	}
	return ids, nil
}

func TestMetadataOfACallIsReplacedAndNothingElse(t *testing.T) {
	db := openTest(t)
	plantCalls(t, db, 1, 1, 1, time.Second)
	ctx := context.Background()
	var before, after rating.CDR
	read := func(c *rating.CDR) {
		t.Helper()
		if err := db.View(ctx, func(tx *Tx) error {
			k, _ := tx.Txn.Cursor(bCDR).First()
			return tx.CDR(rating.CDRID(kv.ID(k)), c)
		}); err != nil {
			t.Fatal(err)
		}
	}
	read(&before)
	if err := db.Update(ctx, func(tx *Tx) error { return tx.SetCallMetadata(before.ID, []byte(`{"a":1}`)) }); err != nil {
		t.Fatal(err)
	}
	read(&after)
	if got, want := after.Text(rating.CDRMetadata), `{"a":1}`; got != want {
		t.Errorf("metadata = %s, want %s", got, want)
	}
	after.Unset(rating.CDRMetadata)
	if after != before {
		t.Errorf("the call = %+v, want it unchanged: %+v", after, before)
	}
}

// BenchmarkCallSearch lists a million calls of 1,000 accounts as the REST lists do.
func BenchmarkCallSearch(b *testing.B) {
	db := openTest(b)
	const calls, accounts = 1_000_000, 1000
	plantCalls(b, db, calls, accounts, 1, 5*time.Second)
	day := testClock.AddDate(0, 0, -30).UnixMicro()
	for _, bb := range []struct {
		name string
		s    CallSearch
		skip int64
		want int64
	}{
		{"newest of all", CallSearch{Newest: true}, 0, calls},
		{"middle of all", CallSearch{Newest: true}, calls / 2, calls},
		{"newest of one account in a thousand", CallSearch{Newest: true, Accounts: []rating.AccountID{7}}, 0, calls / accounts},
		{"newest of a vendor of a third", CallSearch{Newest: true, Accounts: []rating.AccountID{accounts + 1}, Side: rating.VendorSide}, 0, 0},
		{"thirty days of all", CallSearch{Newest: true, From: day}, 0, 0},
		{"filter on a number", CallSearch{Newest: true, Where: []CallCond{{Field: rating.CDRDuration, Within: []CallRange{{100, 199}}}}}, 0, 0},
		{"filter on a late number", CallSearch{Newest: true, Where: []CallCond{{Field: rating.CDRVendorAccID, Within: []CallRange{{1, 2}}}}}, 0, 0},
		{"filter on a text", CallSearch{Newest: true, Where: []CallCond{{Field: rating.CDRDstPrefixRouting, Text: func(b []byte) bool { return b[len(b)-1] == '7' }}}}, 0, 0},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := db.View(context.Background(), func(tx *Tx) error {
					page, total, err := tx.CallPage(context.Background(), &bb.s, bb.skip, 50)
					if err == nil && (bb.want != 0 && total != bb.want || len(page) != 50 && total > 50) {
						b.Fatalf("%d of %d calls", len(page), total)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
