package ui_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// card returns what a card of a page says.
func card(t testing.TB, body, title string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<dt>` + regexp.QuoteMeta(title) + `</dt><dd[^>]*>(.*?)</dd>`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no card %q", title)
	}
	return html.UnescapeString(strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")))
}

// TestTheDashboardAddsUpTheCalls sums the calls themselves, where the page sums day tallies.
func TestTheDashboardAddsUpTheCalls(t *testing.T) {
	r := demoRig(t)
	_, body := r.loggedIn(t).get("/")
	var calls, answered, seconds int64
	var revenue, cost rating.Money
	err := r.db.View(context.Background(), func(tx *storage.Tx) error {
		last := rating.Day(0)
		accounts := map[rating.AccountID]*rating.Account{}
		err := tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
			accounts[a.ID] = a
			last = max(last, rating.DayOf(tx.Now(), tx.Location(a)))
			return true, nil
		})
		if err != nil {
			return err
		}
		within := func(c *rating.CDR, id rating.AccountID) bool {
			d := rating.DayOf(c.Time(rating.CDRTimeStart), tx.Location(accounts[id]))
			return d > last-30 && d <= last
		}
		all, _, err := tx.NewestCalls(context.Background(), storage.CallQuery{}, 20_000)
		for _, c := range all {
			if within(c, c.Vendor()) {
				cost += c.Money(rating.CDRVendorPrice)
			}
			if !within(c, c.Customer()) {
				continue
			}
			calls++
			seconds += c.Int(rating.CDRDuration)
			revenue += c.Money(rating.CDRCustomerPriceNoVAT)
			if c.Bool(rating.CDRSuccess) {
				answered++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls < 1000 {
		t.Fatalf("only %d calls in 30 days", calls)
	}
	for title, want := range map[string]string{
		"Calls, 30 days":   withCommas(calls),
		"Minutes, 30 days": withCommas(seconds / 60),
		"Revenue, 30 days": revenue.Round(2).String() + " EUR",
		"Cost, 30 days":    cost.Round(2).String() + " EUR",
		"Margin, 30 days":  (revenue - cost).Round(2).String() + " EUR",
		"In suspense":      "0",
		"Rates loaded":     "873",
	} {
		got := card(t, body, title)
		if gotMoney, wantMoney, isMoney := twoMoneys(got, want); isMoney && gotMoney == wantMoney {
			continue
		}
		if got != want {
			t.Errorf("%s = %q, want %q", title, got, want)
		}
	}
	wants(t, body, fmt.Sprintf("%.1f %% answered", 100*float64(answered)/float64(calls)), "Harbour Call Centre", revenue.String()+" EUR")
}

// twoMoneys reads two texts as amounts, however many zeros they end in.
func twoMoneys(a, b string) (x, y rating.Money, ok bool) {
	x, errX := rating.ParseMoney(strings.ReplaceAll(strings.TrimSuffix(a, " EUR"), ",", ""))
	y, errY := rating.ParseMoney(strings.TrimSuffix(b, " EUR"))
	return x, y, errX == nil && errY == nil
}

func withCommas(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", withCommas(n/1000), n%1000)
}

// TestCallsAreListedOnceInOrder walks the pages by their links.
func TestCallsAreListedOnceInOrder(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	var want []string
	var account rating.AccountID = 5
	for _, c := range r.calls(t, storage.CallQuery{Account: account}, 300) {
		want = append(want, fmt.Sprintf("/cdrs/%d", c.ID))
	}
	row := regexp.MustCompile(`<tr data-href="(/cdrs/\d+)"`)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	var got []string
	path := fmt.Sprintf("/cdrs?account=%d", account)
	for len(got) < len(want) {
		_, body := b.get(path)
		rows := row.FindAllStringSubmatch(body, -1)
		if len(rows) == 0 {
			t.Fatalf("%s lists nothing", path)
		}
		for _, m := range rows {
			got = append(got, m[1])
		}
		m := next.FindStringSubmatch(body)
		if m == nil {
			break
		}
		path = html.UnescapeString(m[1])
	}
	if fmt.Sprint(got[:len(want)]) != fmt.Sprint(want) {
		t.Errorf("pages list %d calls differently from the store's %d", len(got), len(want))
	}
}

func TestCallsAreFoundByAccountDayAndNumber(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	call := r.calls(t, storage.CallQuery{Account: 8}, 200)[150] // Harbour Call Centre, Kyiv
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	day := call.Time(rating.CDRTimeStart).In(kyiv).Format(time.DateOnly)
	link := fmt.Sprintf("/cdrs/%d", call.ID)
	to := call.Text(rating.CDRDstPrefixRouting)
	for _, tt := range []struct {
		name  string
		query url.Values
		found bool
	}{
		{"its number", url.Values{"number": {to}}, true},
		{"its number as people write it", url.Values{"number": {"+" + to[:3] + " " + to[3:]}}, true},
		{"its account, day and number", url.Values{"account": {"Harbour Call Centre"}, "from": {day}, "till": {day}, "number": {to}}, true},
		{"another account", url.Values{"account": {"4"}, "number": {to}}, false},
		{"the days before", url.Values{"account": {"8"}, "till": {call.Time(rating.CDRTimeStart).In(kyiv).AddDate(0, 0, -1).Format(time.DateOnly)}, "number": {to}}, false},
		{"its vendor", url.Values{"account": {fmt.Sprint(call.Vendor())}, "number": {to}}, true},
		{"its vendor as payer of nothing", url.Values{"account": {"8"}, "side": {"vendor"}, "number": {to}}, false},
		{"another number", url.Values{"number": {"99999999"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := b.get("/cdrs?" + tt.query.Encode())
			if res.StatusCode != http.StatusOK || strings.Contains(body, `"`+link+`"`) != tt.found {
				t.Errorf("/cdrs?%s = %d, found %v, want %v", tt.query.Encode(), res.StatusCode, !tt.found, tt.found)
			}
		})
	}
	for _, bad := range []string{"account=nobody", "from=tomorrow", "till=2026-13-01"} {
		res, body := b.get("/cdrs?" + bad)
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
			t.Errorf("/cdrs?%s = %d, want 400 and a sentence", bad, res.StatusCode)
		}
	}
}

// TestEveryCallExplainsItsPrice opens calls and asks that the steps come to the stored price.
func TestEveryCallExplainsItsPrice(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	for _, c := range r.calls(t, storage.CallQuery{}, 60) {
		res, body := b.get(fmt.Sprintf("/cdrs/%d", c.ID))
		if res.StatusCode != http.StatusOK {
			t.Fatalf("/cdrs/%d = %d", c.ID, res.StatusCode)
		}
		if strings.Contains(body, "has changed since") {
			t.Errorf("CDR %d: the explanation comes to another price", c.ID)
		}
		if !c.Bool(rating.CDRSuccess) {
			wants(t, body, "The call was not answered, so nothing is owed.")
			continue
		}
		wants(t, body, c.Money(rating.CDRCustomerPrice).String(), c.Money(rating.CDRVendorPrice).String(), "net, rounded half away from zero to 5 decimals", c.CallID())
	}
}

func TestAChangedRateLeavesTheStoredPrice(t *testing.T) {
	r := demoRig(t)
	var call *rating.CDR
	for _, c := range r.calls(t, storage.CallQuery{}, 50) {
		if c.Money(rating.CDRCustomerPrice) > 0 {
			call = c
			break
		}
	}
	r.update(t, func(tx *storage.Tx) error {
		rate, err := tx.Rates.Get(uint64(call.Int(rating.CDRDestinationID)))
		if err != nil {
			return err
		}
		rate.Terms.First.Price *= 7
		return tx.Rates.Put(rate)
	})
	_, body := r.loggedIn(t).get(fmt.Sprintf("/cdrs/%d", call.ID))
	wants(t, body, call.Money(rating.CDRCustomerPrice).String())
	if strings.Contains(body, "has changed since") {
		t.Error("the call's own copy of the rate is not what is explained")
	}
}

func TestANumberIsExplained(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	res, body := b.get("/rates?" + url.Values{"number": {"+44 7700 900123"}, "seconds": {"95"}, "account": {"Northfield Dental"}}.Encode())
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status = %d", res.StatusCode)
	}
	// 0.024 a minute, 60/60: 95 s are two minutes, 0.048 net, 20 % VAT
	wants(t, body, "1:35 to", "447700900123", "<strong>0.0576 EUR</strong>", "120 s billed", "priced by", "meridian-cost", "billd explain 447700900123 95 --account 4")
	for _, tt := range []struct {
		name, query, says string
		status            int
	}{
		{"a number nobody prices", "number=999999", "would wait in suspense", 200},
		{"no digits", "number=%2B", "want digits", 400},
		{"an unknown account", "number=44&account=nobody", "does not exist", 400},
		{"seconds that are none", "number=44&seconds=1.5", "whole number", 400},
		{"a time that is none", "number=44&at=noon", "want a time", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := b.get("/rates?" + tt.query)
			if res.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("/rates?%s = %d, want %d and %q", tt.query, res.StatusCode, tt.status, tt.says)
			}
		})
	}
}

func TestADecksRatesAreListedByPrefix(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	cell := regexp.MustCompile(`<tr><td class="num-text">(\d+)</td>`)
	var got []string
	for path := "/rates?deck=1"; path != ""; {
		_, body := b.get(path)
		for _, m := range cell.FindAllStringSubmatch(body, -1) {
			got = append(got, m[1])
		}
		path = ""
		if m := next.FindStringSubmatch(body); m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	if len(got) != 291 {
		t.Errorf("pages list %d rates, want 291", len(got))
	}
	for i := 1; i < len(got); i++ {
		if got[i-1] >= got[i] {
			t.Fatalf("prefix %s comes after %s", got[i], got[i-1])
		}
	}
	_, body := b.get("/rates?deck=1&prefix=447")
	if m := cell.FindAllStringSubmatch(body, -1); len(m) != 1 || m[0][1] != "447" {
		t.Errorf("prefix 447 lists %v", m)
	}
	if res, _ := b.get("/rates?deck=99"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown deck = %d, want 404", res.StatusCode)
	}
}

func TestSuspenseSaysWhyAndWhatHelps(t *testing.T) {
	r := demoRig(t)
	r.update(t, func(tx *storage.Tx) error {
		for i := range 60 {
			var c rating.Call
			c.SetTime(rating.CDRTimeStart, tx.Now().Add(-time.Hour))
			c.SetText(rating.CDRCallID, fmt.Sprint("held-", i))
			c.SetText(rating.CDRDstPrefixRouting, fmt.Sprint("99900", i))
			c.SetInt(rating.CDRDuration, 125)
			c.AccountRef = "4"
			if _, err := tx.Charge(&c); err != nil {
				return err
			}
		}
		_, err := tx.HoldRaw("csv", "not,a,call", "line 1: want 9 columns")
		return err
	})
	b := r.loggedIn(t)
	_, body := b.get("/suspense")
	wants(t, body, "61 calls", "9990059", "no_rate", "2:05", "line 1: want 9 columns", `rel="next"`)
	_, body = b.get("/suspense?reason=no_rate")
	wants(t, body, "What helps: add the rate")
	if strings.Contains(body, "want 9 columns") {
		t.Error("another reason is listed too")
	}
	_, body = b.get("/suspense?reason=conflict")
	wants(t, body, "No call waits for this reason.")
}

func TestEmptyPagesNameTheNextCommand(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	b := r.loggedIn(t)
	for path, command := range map[string]string{
		"/":         "billd import-rates deck.csv",
		"/accounts": "billd import-accounts accounts.csv",
		"/rates":    "billd import-rates deck.csv",
		"/cdrs":     "billd import-cdrs calls.csv",
		"/suspense": "Nothing waits",
		"/invoices": "billd invoice run",
	} {
		res, body := b.get(path)
		if res.StatusCode != http.StatusOK || !strings.Contains(body, command) {
			t.Errorf("%s of an empty store = %d, want 200 with %q", path, res.StatusCode, command)
		}
	}
}

func TestMissingThingsAreNotFound(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	b := r.loggedIn(t)
	for _, path := range []string{"/accounts/99", "/accounts/x", "/accounts/-1", "/cdrs/1", "/cdrs/99999999999999999999999", "/invoices/7", "/invoices/x"} {
		if res, body := b.get(path); res.StatusCode != http.StatusNotFound || !strings.Contains(body, "Not Found") {
			t.Errorf("%s = %d, want 404", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/cdrs?before=x", "/accounts?from=-1", "/rates?deck=x", "/suspense?before=1.5", "/invoices?before=x"} {
		if res, _ := b.get(path); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s = %d, want 400", path, res.StatusCode)
		}
	}
}
