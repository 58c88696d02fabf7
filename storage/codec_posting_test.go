package storage

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"billd/rating"
)

// fullPosting has every column set.
func fullPosting() *rating.Posting {
	eur := rating.Currency{'E', 'U', 'R'}
	return &rating.Posting{
		ID: 9, Kind: rating.PostingPayment, Amount: 25_000_000, At: time.UnixMicro(1_763_758_743_417_221).UTC(), Account: 300,
		Debit:  rating.Ledger{Kind: rating.LedgerCash, Currency: eur},
		Credit: rating.Ledger{Kind: rating.LedgerAccount, Currency: eur, Account: 300},
		Ref:    "pay-1", Text: "top up", Service: "payments", Source: "77",
	}
}

func randomPosting(r *rand.Rand) *rating.Posting {
	ledger := func() rating.Ledger {
		return rating.Ledger{Kind: rating.LedgerKind(1 + r.IntN(6)), Currency: rating.Currency{'J', 'P', 'Y'}, Account: rating.AccountID(r.Uint64())}
	}
	p := &rating.Posting{
		ID: r.Uint64(), Kind: rating.PostingKind(1 + r.IntN(7)), Amount: rating.Money(randomInt(r)), At: randomTime(r),
		Account: rating.AccountID(randomInt(r)), Debit: ledger(), Credit: ledger(),
	}
	for _, s := range []*string{&p.Ref, &p.Text, &p.Service, &p.Source} {
		if r.IntN(2) > 0 {
			*s = randomText(r)
		}
	}
	return p
}

func TestPostingComesBackAsWritten(t *testing.T) {
	r := newRand(t)
	postings := []*rating.Posting{{}, fullPosting()}
	for range 1000 {
		postings = append(postings, randomPosting(r))
	}
	got := rating.Posting{Text: "a posting decoded before"}
	for _, want := range postings {
		row := appendPosting(nil, want)
		if err := decodePosting(want.ID, row, &got); err != nil {
			t.Fatalf("decode %x: %v", row, err)
		}
		clear(row) // nothing of it may be kept
		if got != *want {
			t.Fatalf("decode = %+v, want %+v", got, *want)
		}
	}
}

func TestFullPostingSetsEveryColumn(t *testing.T) {
	v := reflect.ValueOf(*fullPosting())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("Posting.%s is not set: the codec's tests would miss it", v.Type().Field(i).Name)
		}
	}
}

func TestPostingLayoutIsPinned(t *testing.T) {
	wantRow(t, appendPosting(nil, fullPosting()), `
		01 01
		05 455552 0000000000000000
		01 455552 000000000000012c
		40787d0100000000
		85f15e1521440600
		ac02
		05 7061792d31
		06 746f70207570
		08 7061796d656e7473
		02 3737`)
}

func TestBrokenPostingRowsAreRefused(t *testing.T) {
	var got rating.Posting
	testRefusals(t, appendPosting(nil, fullPosting()), func(b []byte) error { return decodePosting(9, b, &got) })
}

func FuzzDecodePosting(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		f.Add(appendPosting(nil, randomPosting(r)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again rating.Posting
		if decodePosting(1, b, &p) != nil {
			return
		}
		if err := decodePosting(1, appendPosting(nil, &p), &again); err != nil || again != p {
			t.Errorf("written anew: %+v, %v, want %+v", again, err, p)
		}
	})
}

func BenchmarkAppendPosting(b *testing.B) {
	p := fullPosting()
	b.ReportAllocs()
	var row []byte
	for b.Loop() {
		row = appendPosting(row[:0], p)
	}
	b.ReportMetric(float64(len(row)), "B/row")
}

func BenchmarkDecodePosting(b *testing.B) {
	row := appendPosting(nil, fullPosting())
	var p rating.Posting
	b.ReportAllocs()
	for b.Loop() {
		if err := decodePosting(9, row, &p); err != nil {
			b.Fatal(err)
		}
	}
}
