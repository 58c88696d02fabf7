package ui_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"billd/storage"
)

const nasSecret = "not-for-anybodys-eyes"

// knocks gives the sample provider a NAS that was heard, one that gave another secret, and a stranger.
func (r *rig) knocks(t testing.TB) {
	t.Helper()
	var gw storage.NAS
	r.update(t, func(tx *storage.Tx) error {
		gw = storage.NAS{Name: "gw1", Network: "192.0.2.1", Secret: nasSecret, Rules: true}
		return tx.SaveNAS(&gw)
	})
	r.env.Senders.Heard(gw.ID, time.Now().Add(-time.Minute), false)
	r.env.Senders.Heard(gw.ID, time.Now().Add(-time.Hour), true)
	r.env.Senders.Stranger(netip.MustParseAddr("198.51.100.7"), "accounting", time.Now())
}

func TestWhoSpeaksRADIUSIsShownAddedAndDeleted(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	wants(t, second(b.get("/radius")), "Nobody may speak RADIUS yet")
	r.knocks(t)
	_, body := b.get("/radius")
	wants(t, body, "gw1", "192.0.2.1", "who rules name", "the last", "198.51.100.7", "accounting", `href="/radius?network=198.51.100.7#add"`)
	if strings.Contains(body, nasSecret) {
		t.Error("the page shows a secret")
	}
	wants(t, second(b.get("/radius?network=198.51.100.7")), `name="network" value="198.51.100.7"`)
	form := url.Values{"form": {b.formToken("/radius")}, "name": {"gw2"}, "network": {"198.51.100.0/24"}, "secret": {nasSecret}}
	if res, body := b.post("/radius", form); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("add = %d, want 303: %s", res.StatusCode, head(body))
	}
	_, body = b.get("/radius")
	wants(t, body, "gw2", "198.51.100.0/24")
	if strings.Contains(body, "198.51.100.7") || strings.Contains(body, nasSecret) {
		t.Error("who was let in is a stranger still, or a secret is shown")
	}
	res, body := b.post("/radius", form)
	if res.StatusCode != http.StatusConflict || strings.Contains(body, nasSecret) {
		t.Errorf("the same again = %d, want 409 without the secret", res.StatusCode)
	}
	wants(t, body, `role="alert"`, `value="gw2"`)
	form.Set("form", "stolen")
	if res, _ := b.post("/radius/gw2/delete", form); res.StatusCode != http.StatusForbidden {
		t.Errorf("a form from elsewhere = %d, want 403", res.StatusCode)
	}
	if res, _ := r.browser(t).get("/radius"); !strings.HasSuffix(res.Request.URL.Path, "/login") && res.StatusCode != http.StatusSeeOther {
		t.Errorf("nobody's page = %d, want the login page", res.StatusCode)
	}
	form.Set("form", b.formToken("/radius"))
	if res, body := b.post("/radius/gw2/delete", form); res.StatusCode != http.StatusSeeOther {
		t.Errorf("delete = %d, want 303: %s", res.StatusCode, head(body))
	}
	if res, _ := b.post("/radius/gw2/delete", form); res.StatusCode != http.StatusNotFound {
		t.Errorf("delete again = %d, want 404", res.StatusCode)
	}
}

func TestACallAndASuspendedOneAreExplained(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	id := strconv.FormatUint(uint64(newestCall(t, r)), 10)
	wants(t, second(b.get("/cdrs/"+id)), `href="/cdrs/`+id+`/explain"`)
	wants(t, second(b.get("/cdrs/"+id+"/explain")), "How this call was read and charged", "Who pays", "Told by", "Rated as")
	path := r.holds(t)
	wants(t, second(b.get("/suspense")), `data-href="`+path+`"`)
	wants(t, second(b.get(path)), "A column that cannot be read", "want 9 columns", "a;b &lt;i&gt;", "billd suspense retry")
	for _, path := range []string{"/suspense/99999", "/suspense/x", "/cdrs/1/explain"} {
		if res, _ := b.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, res.StatusCode)
		}
	}
}

// holds puts a record into suspense that could not be read, and returns its page.
func (r *rig) holds(t testing.TB) (path string) {
	t.Helper()
	r.update(t, func(tx *storage.Tx) error {
		v, err := tx.HoldRaw("pbx", "a;b <i>", "want 9 columns")
		path = "/suspense/" + strconv.FormatUint(v, 10)
		return err
	})
	return path
}
