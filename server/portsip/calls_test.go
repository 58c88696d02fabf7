package portsip

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// charge takes a call of an account in and returns its number.
func (r *rig) charge(account *rating.Account, number string, start time.Time, seconds int64) rating.CDRID {
	r.t.Helper()
	var c rating.Call
	c.SetTime(rating.CDRTimeStart, start)
	c.SetTime(rating.CDRTimeConnect, start.Add(2*time.Second))
	c.SetTime(rating.CDRTimeEnd, start.Add(2*time.Second+time.Duration(seconds)*time.Second))
	c.SetText(rating.CDRDstPrefixRouting, number)
	c.SetText(rating.CDRSrcPrefixRouting, "101")
	c.SetText(rating.CDRCallID, fmt.Sprint(number, start.UnixNano()))
	c.SetInt(rating.CDRCustomerAccID, int64(account.ID))
	v, err := r.db.ChargeNow(context.Background(), []storage.Record{{Call: &c}})
	must(r.t, err)
	if v[0].Outcome == rating.OutcomeSuspended {
		r.t.Fatalf("the call to %s is suspended: %s", number, v[0].Detail)
	}
	return v[0].ID
}

// TestWorkedExamples charges the examples of section 8.4 through the store, against rates that were
// made through this API, and reads the cost back from it.
func TestWorkedExamples(t *testing.T) {
	r := newRig(t)
	f, err := os.Open("testdata/examples.txt")
	must(t, err)
	defer f.Close()
	before, spent := rating.Money(0), rating.Money(0)
	lines := bufio.NewScanner(f)
	n := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		f := strings.Fields(lines.Text())
		if len(f) != 12 {
			t.Fatalf("line %q has %d fields, want 12", lines.Text(), len(f))
		}
		n++
		prefix := fmt.Sprint(4400 + n)
		r.create(fmt.Sprintf(`{"prefix":"%s","free_seconds":%s,"grace_period":%s,"interval_1":%s,"interval_n":%s,"price_1":%s,"price_n":%s,"connect_fee":%s,"postcall_surcharge":%s}`,
			prefix, f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]))
		var seconds int64
		fmt.Sscan(f[9], &seconds)
		id := r.charge(r.tenant, prefix+"555", noon.Add(-time.Duration(n)*time.Hour), seconds)
		var cdr rating.CDR
		must(t, r.db.View(context.Background(), func(tx *storage.Tx) error { return tx.CDR(id, &cdr) }))
		if got := fmt.Sprint(cdr.Int(rating.CDRCustomerDuration)); got != f[10] {
			t.Errorf("%s: billed %s s, want %s", f[0], got, f[10])
		}
		cost, err := rating.ParseMoney(f[11])
		must(t, err)
		spent += cost
		if got := r.send(r.admin, "GET", "/api/calllogs/"+encodeID(uint64(id)), "").member(t, "cost"); got != cost.Number() {
			t.Errorf("%s: cost %s, want %s", f[0], got, cost.Number())
		}
	}
	must(t, lines.Err())
	if n != 19 {
		t.Errorf("%d examples, want the 19 of section 8.4", n)
	}
	balance := (before - spent).Number()
	if got := r.send(r.admin, "GET", "/api/tenant/balance", "").member(t, "balance"); got != balance {
		t.Errorf("balance = %s, want %s", got, balance)
	}
}

func TestTheLongestPrefixWinsLiterally(t *testing.T) {
	r := newRig(t)
	for prefix, price := range map[string]string{"44": "0.1", "447": "0.2", "+44": "0.3", "#": "0.4"} {
		r.create(`{"prefix":"` + prefix + `","price_1":` + price + `}`)
	}
	for i, tt := range []struct{ number, cost string }{{"442071234567", "0.1"}, {"447700900123", "0.2"}, {"+447700900123", "0.3"}, {"#31", "0.4"}} {
		id := r.charge(r.tenant, tt.number, noon.Add(-time.Duration(i+1)*time.Minute*10), 60)
		if got := r.send(r.admin, "GET", "/api/calllogs/"+encodeID(uint64(id)), "").member(t, "cost"); got != tt.cost {
			t.Errorf("%s costs %s, want %s", tt.number, got, tt.cost)
		}
	}
}

func TestCallLists(t *testing.T) {
	r := newRig(t)
	r.create(`{"prefix":"4"}`)
	minute := func(n int) time.Time { return noon.Add(time.Duration(n-100) * time.Minute) }
	own := r.charge(r.tenant, "41", minute(0), 60)
	r.charge(r.child, "42", minute(1), 120)
	r.charge(r.tenant, "43", minute(2), 5)
	r.charge(r.child, "44", minute(3), 5)
	other := r.charge(&rating.Account{ID: rating.MasterAccount}, "45", minute(4), 5)
	callees := func(a answer) (string, int) {
		t.Helper()
		a.body = strings.ReplaceAll(a.body, `"callee":`, `"prefix":`)
		return a.prefixes(t)
	}
	stamp := func(n int) string { return "%27" + minute(n).Format("2006-01-02T15:04:05Z") + "%27" }
	for _, tt := range []struct {
		name, token, path, want string
		count                   int
	}{
		{"a tenant with its users", r.admin, "/api/cdrs", "41 42 43 44", 4},
		{"the call log", r.admin, "/api/calllogs", "41 42 43 44", 4},
		{"one's own", r.admin, "/api/user/cdrs", "41 43", 2},
		{"a plain user's log", r.user, "/api/calllogs", "41 43", 2},
		{"an operator's tenants", r.operator, "/api/cdrs", "41 43 45", 3},
		{"pages", r.admin, "/api/cdrs?top=2&skip=1", "42 43", 4},
		{"newest first", r.admin, "/api/cdrs?orderby=started_at%20desc&top=3", "44 43 42", 4},
		{"oldest first", r.admin, "/api/cdrs?orderby=started_at", "41 42 43 44", 4},
		{"by duration", r.admin, "/api/cdrs?orderby=duration%20desc,callee%20desc", "42 41 44 43", 4},
		{"from a time", r.admin, "/api/cdrs?filter=started_at%20ge%20" + stamp(1), "42 43 44", 3},
		{"between times", r.admin, "/api/cdrs?filter=started_at%20gt%20" + stamp(0) + "%20and%20started_at%20lt%20" + stamp(2), "42", 1},
		{"at a time", r.admin, "/api/cdrs?filter=started_at%20eq%20" + stamp(2), "43", 1},
		{"never", r.admin, "/api/cdrs?filter=started_at%20gt%20" + stamp(2) + "%20and%20started_at%20lt%20" + stamp(1), "", 0},
		{"by caller and duration, backwards", r.admin, "/api/cdrs?filter=caller%20eq%20%27101%27%20and%20duration%20ge%2060&orderby=started_at%20desc", "42 41", 2},
		{"search", r.admin, "/api/cdrs?search=42%20or%2044", "42 44", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := r.send(tt.token, "GET", tt.path, "")
			got, n := callees(a)
			if got != tt.want || n != tt.count {
				t.Errorf("%s = %q of %d, want %q of %d", tt.path, got, n, tt.want, tt.count)
			}
			if strings.Contains(a.body, "cost") {
				t.Errorf("list = %s, want no cost", a.body)
			}
		})
	}
	for _, tt := range []struct {
		name, token, path string
		status            int
		code              string
	}{
		{"a plain user sees no tenant's calls", r.user, "/api/cdrs", 403, codeForbidden},
		{"cost is no field of a list", r.admin, "/api/cdrs?orderby=cost", 400, codeInvalid},
		{"a time that is none", r.admin, "/api/cdrs?filter=started_at%20gt%20%27noon%27", 400, codeInvalid},
		{"a malformed id", r.admin, "/api/cdrs/abc", 400, codeInvalid},
		{"no such call", r.admin, "/api/cdrs/Nw==", 404, codeNotFound},
		{"another tenant's call", r.admin, "/api/cdrs/" + encodeID(uint64(other)), 404, codeNotFound},
		{"one's own", r.user, "/api/user/cdrs/" + encodeID(uint64(own)), 200, ""},
		{"somebody else's", r.user, "/api/user/cdrs/" + encodeID(uint64(other)), 404, codeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) { r.send(tt.token, "GET", tt.path, "").want(t, tt.status, tt.code) })
	}
	t.Run("calls are only read", func(t *testing.T) {
		r.send(r.admin, "POST", "/api/cdrs", "{}").want(t, 405, codeMethod)
	})
}
