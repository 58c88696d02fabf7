package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// watch gives the sample provider a rule that blocks, two calls under way, and an account that passed it.
func (r *rig) watch(t testing.TB) {
	t.Helper()
	r.update(t, func(tx *storage.Tx) error {
		var g rating.Guard
		g.Rules[rating.GuardConcurrent] = rating.GuardLimit{Action: rating.GuardBlock, Limit: 2}
		g.Rules[rating.GuardSpendDay] = rating.GuardLimit{Action: rating.GuardNotify, Limit: 500_000_000, Passes: true}
		if err := tx.SetGuardDefaults(g); err != nil {
			return err
		}
		a, err := tx.AccountByRef("Northfield Dental")
		if err != nil {
			return err
		}
		if err := tx.SetBalance(a, 100_000_000, ""); err != nil {
			return err
		}
		for _, id := range []string{"7f3c@pbx.northfield.example", "7f3d@pbx.northfield.example", "7f3e@pbx.northfield.example"} {
			c := &rating.Call{AccountRef: a.Name}
			c.SetTime(rating.CDRTimeStart, tx.Now().Truncate(time.Second))
			c.SetText(rating.CDRDstPrefixRouting, "447700900123")
			c.SetText(rating.CDRSrcPrefixRouting, "442079460000")
			c.SetText(rating.CDRCallID, id)
			if _, _, err := tx.Authorise(storage.AuthRequest{Call: c, Seconds: 600}); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestABlockIsShownAndLifted(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	_, body := b.get("/guard")
	wants(t, body, "nobody is blocked", "No alarm was ever raised", "Nothing is watched of all accounts")
	r.watch(t)
	_, body = b.get("/guard")
	wants(t, body, "1 blocked", "Northfield Dental", "fraud guard, concurrent 3, limit 2", "Calls at the same time", "blocks", "more than 2: block", "more than 500.0: notify")
	path := formAction(t, body, "/unblock")
	if res, _ := b.post(path, url.Values{"form": {"stolen"}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("a form from elsewhere = %d, want 403", res.StatusCode)
	}
	if res, _ := r.browser(t).post(path, url.Values{}); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login") {
		t.Errorf("nobody's form = %d to %s, want the login page", res.StatusCode, res.Header.Get("Location"))
	}
	form := url.Values{"form": {b.formToken("/guard")}}
	if res, body := b.post(path, form); res.StatusCode != http.StatusSeeOther {
		t.Errorf("unblock = %d, want 303: %s", res.StatusCode, head(body))
	}
	_, body = b.get("/guard")
	wants(t, body, "nobody is blocked", "blocked</span>", testLogin)
	if res, body := b.post(path, form); res.StatusCode != http.StatusConflict {
		t.Errorf("unblock again = %d, want 409: %s", res.StatusCode, head(body))
	}
	wants(t, second(b.get("/guard?before=1")), "No older alarms")
}

func TestReservationsAreShownAndReleased(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	wants(t, second(b.get("/reservations")), "No call is under way")
	r.watch(t)
	_, body := b.get("/reservations?account=Northfield+Dental")
	wants(t, body, "2 calls under way", "447700900123", "442079460000", "10:00", "7f3d@pbx.northfield.example")
	path := formAction(t, body, "/release")
	if res, body := b.post(path, url.Values{"form": {b.formToken("/reservations")}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("release = %d, want 303: %s", res.StatusCode, head(body))
	}
	wants(t, second(b.get("/reservations")), "1 calls under way")
	if res, _ := b.get("/reservations?account=nobody"); res.StatusCode != http.StatusNotFound {
		t.Errorf("nobody's reservations = %d, want 404", res.StatusCode)
	}
}

// formAction returns where a page's form whose address ends so is posted to.
func formAction(t testing.TB, body, end string) string {
	t.Helper()
	_, rest, _ := strings.Cut(body, `<form method="post" action="/guard/`)
	prefix := "/guard/"
	if end == "/release" {
		_, rest, _ = strings.Cut(body, `<form method="post" action="/reservations/`)
		prefix = "/reservations/"
	}
	id, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("the page has no form to %s", end)
	}
	return prefix + id + end
}

func second(_ *http.Response, body string) string { return body }
