package yeti

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// plantCalls stores calls of a hundred accounts, five seconds apart up to now, the first of them a
// tenth of all, as a switch would give them.
func plantCalls(b testing.TB, w *rig, n int, owner, vendor uint64, others []uint64) {
	b.Helper()
	const batch = 5000
	for from := 0; from < n; from += batch {
		records := make([]storage.Record, 0, batch)
		for i := from; i < min(from+batch, n); i++ {
			c := &rating.Call{Rated: true}
			c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Duration(n-i)*5*time.Second))
			account := owner
			if i%10 != 0 {
				account = others[i%len(others)]
			}
			c.SetInt(rating.CDRCustomerAccID, int64(account))
			c.SetInt(rating.CDRVendorAccID, int64(vendor))
			c.SetInt(rating.CDRDuration, int64(i%300))
			c.SetBool(rating.CDRSuccess, i%300 > 0)
			c.SetInt(rating.CDRCustomerPrice, int64(i%1000)*1000)
			c.SetInt(rating.CDRVendorPrice, int64(i%1000)*500)
			c.SetInt(rating.CDRLegaDisconnectCode, 200)
			c.SetText(rating.CDRCallID, "call-"+strconv.Itoa(i))
			c.SetText(rating.CDRSource, "bench")
			c.SetText(rating.CDRSrcPrefixRouting, "44207946"+strconv.Itoa(i%10000))
			c.SetText(rating.CDRDstPrefixRouting, "4822"+strconv.Itoa(1000000+i%1000000))
			c.SetText(rating.CDRLocalTag, "Tag-"+strconv.Itoa(i))
			c.SetText(rating.CDRAuthOrigIP, "10.0.0."+strconv.Itoa(i%250))
			records = append(records, storage.Record{Call: c})
		}
		if _, err := w.db.ChargeNow(b.Context(), records); err != nil {
			b.Fatal(err)
		}
	}
}

// plantInvoices invoices accounts for the weeks up to the last one.
func plantInvoices(w *rig, accounts []uint64) {
	w.must(w.db.Update(context.Background(), func(tx *storage.Tx) error {
		for _, a := range accounts {
			for week := 9; week > 1; week-- {
				end := testClock.AddDate(0, 0, -7*(week-1))
				inv := &rating.Invoice{UUID: rating.NewUUID(end), Account: rating.AccountID(a), State: rating.InvoicePending,
					Start: testClock.AddDate(0, 0, -7*week), End: end, CreatedAt: end}
				if err := tx.Invoices.Put(inv); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// callStore is a store of many calls: whose they are.
type callStore struct {
	Calls         int
	Owner, Vendor string // accounts: of a tenth of the calls, and the vendor of all
	All, Carrier  string // tokens of their customers
	Small         uint64 // an account of a hundredth
}

// openCalls serves a store of n calls. It is made once when BILLD_BENCH_STORE names a directory to keep
// it in, else anew.
func openCalls(b testing.TB, n int) (*rig, callStore) {
	b.Helper()
	var s callStore
	dir := os.Getenv("BILLD_BENCH_STORE")
	if dir == "" {
		dir = b.TempDir()
	}
	about := filepath.Join(dir, "calls.json")
	if text, err := os.ReadFile(about); err == nil && json.Unmarshal(text, &s) == nil && s.Calls == n {
		return newRigIn(b, dir), s
	}
	r := newRigIn(b, dir)
	con, carrier := r.contractor("Northfield"), r.contractor("Carrier")
	s = callStore{Calls: n, Owner: r.account(con, "Northfield", ""), Vendor: r.account(carrier, "Carrier", "")}
	s.All, s.Carrier = r.customer(con, ""), r.customer(carrier, "")
	owner, vendor := number(b, s.Owner), number(b, s.Vendor)
	var others []uint64
	for i := range 99 {
		others = append(others, number(b, r.account(carrier, "other "+strconv.Itoa(i), "")))
	}
	s.Small = others[3]
	plantCalls(b, r, n, owner, vendor, others)
	plantInvoices(r, append(others, owner, vendor))
	text, err := json.Marshal(s)
	r.must(err)
	r.must(os.WriteFile(about, text, 0o600))
	return r, s
}

// BenchmarkListsOfCalls asks for the first page of lists of calls over HTTP: plain ones, then each list
// with every documented filter alone, which it reports as the median and the slowest. BILLD_BENCH_CALLS
// says how many calls there are, 1,000,000 unless it does; BILLD_BENCH_FILTER picks filters by a regular
// expression, all unless it does. One filter alone:
//
//	BILLD_BENCH_FILTER=^uuid_not_eq$ go test ./server/yeti -run xxx -bench 'ListsOfCalls/every_filter_of_admin' -benchtime 1x
func BenchmarkListsOfCalls(b *testing.B) {
	calls := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("BILLD_BENCH_CALLS")); err == nil {
		calls = n
	}
	r, store := openCalls(b, calls)
	small, owner := decimal(store.Small), store.Owner
	w := &world{rig: r, all: store.All, vendor: store.Carrier}
	admin := surface{"admin", AdminBase, r.token, r.api.admin.Describe()}
	for _, bb := range []struct {
		name string
		s    surface
		path string
	}{
		{"newest of all", admin, "/cdrs"},
		{"newest of one account in a hundred", admin, "/cdrs?filter%5Bcustomer_acc_id_eq%5D=" + small},
		{"newest of an account with a tenth", admin, "/cdrs?filter%5Bcustomer_acc_id_eq%5D=" + owner},
		{"a customer's newest of all time", surface{"customer", CustomerBase, w.all, nil}, "/cdrs?filter%5Btime_start_gteq%5D=2026-01-01"},
		{"a customer's of a day", surface{"customer", CustomerBase, w.all, nil}, "/cdrs"},
		{"a carrier's of a day", surface{"customer", CustomerBase, w.vendor, nil}, "/incoming-cdrs"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if a := w.do("GET", bb.s.base+bb.path, "", map[string]string{"Authorization": bb.s.token, "Content-Type": ""}); a.StatusCode != 200 {
					b.Fatalf("%d %s", a.StatusCode, a.body)
				}
			}
		})
	}
	w.later(0)
	admin.token = r.token
	for _, list := range []struct {
		name, typ string
		s         surface
	}{
		{"admin cdrs", "cdrs", admin},
		{"customer cdrs", "cdrs", surface{"customer", CustomerBase, w.all, r.api.customer.Describe()}},
		{"customer incoming-cdrs", "incoming-cdrs", surface{"customer", CustomerBase, w.vendor, r.api.customer.Describe()}},
	} {
		b.Run("every filter of "+list.name, func(b *testing.B) {
			for b.Loop() {
				w.timeFilters(b, list.s, list.typ)
			}
		})
	}
}

// timeFilters asks a list with each filter alone, three times, and reports how long the second fastest
// answers took.
func (w *world) timeFilters(b *testing.B, s surface, typ string) {
	b.Helper()
	d := s.tables[slices.IndexFunc(s.tables, func(d jsonapi.Described) bool { return d.Type == typ })]
	type took struct {
		name string
		time time.Duration
	}
	var all []took
	picked := regexp.MustCompile(os.Getenv("BILLD_BENCH_FILTER"))
	for _, f := range d.Filters {
		if !picked.MatchString(f.Name) {
			continue
		}
		value := map[string]string{"number": "7", "datetime": "2026-11-01", "boolean": "true", "string": "48221"}[f.Kind]
		switch {
		case len(f.Words) > 0:
			value = f.Words[0]
		case strings.HasSuffix(f.Name, "country_iso_eq"):
			value = "PL"
		case value == "":
			value = "1"
		}
		var times [3]time.Duration
		for i := range times {
			start := time.Now()
			a, _ := w.read(s, fmt.Sprintf("/%s?%s=%s%s", d.Paths[0], url.QueryEscape("filter["+f.Name+"]"), value, far(s, d, f.Name)))
			if times[i] = time.Since(start); a.StatusCode != 200 {
				b.Errorf("filter[%s]=%s: %d %s", f.Name, value, a.StatusCode, a.body)
			}
		}
		slices.Sort(times[:])
		all = append(all, took{f.Name, times[1]})
	}
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b took) int { return int(b.time - a.time) })
	ms := func(t took) float64 { return float64(t.time) / float64(time.Millisecond) }
	b.ReportMetric(float64(len(all)), "filters")
	b.ReportMetric(ms(all[len(all)/2]), "ms-median")
	b.ReportMetric(ms(all[0]), "ms-slowest")
	for _, t := range all[:min(len(all), 25)] {
		b.Logf("%s: %.1f ms", t.name, ms(t))
	}
}
