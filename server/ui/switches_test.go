package ui_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"billd/server/auth"
	"billd/server/ops"
)

// keys gives two switches keys, one that ends soon and one that was heard of.
func (r *rig) keys(t testing.TB) {
	t.Helper()
	r.env.Senders = ops.NewSenders()
	for _, args := range []ops.SwitchArgs{{Name: "fs1.northfield.example"}, {Name: "kamailio-2", Networks: &[]string{"192.0.2.0/24"}, Seconds: 7 * 24 * 3600}} {
		if _, err := ops.GiveKey(t.Context(), r.env, args, true); err != nil {
			t.Fatal(err)
		}
	}
	r.env.Senders.HeardSwitch(1, r.db.Now(), false)
}

func TestSwitchesAreGivenKeysThatAreShownOnce(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	_, body := b.get("/switches")
	wants(t, body, "nobody has a key", "No switch has a key yet")
	form := url.Values{"form": {b.formToken("/switches")}, "name": {" fs1 "}, "from": {"192.0.2.7, 2001:db8::/64"}}
	key := func(res *http.Response, body string) string {
		t.Helper()
		found := regexp.MustCompile(`<pre class="key"><code>([\w.-]+)</code></pre>`).FindStringSubmatch(body)
		if res.StatusCode != http.StatusOK || found == nil {
			t.Fatalf("status %d, want a page with a key: %s", res.StatusCode, head(body))
		}
		if c, err := r.access.Tokens.Verify(found[1], auth.Native); err != nil || c.Principal.Kind != auth.KindSwitch {
			t.Fatalf("the key is %+v, %v, want a switch's", c, err)
		}
		return found[1]
	}
	first := key(b.post("/switches", form))
	_, body = b.get("/switches")
	wants(t, body, "1 with a key", "<td>fs1</td>", "192.0.2.7/32, 2001:db8::/64", "never since the start")
	if strings.Contains(body, first) {
		t.Error("the key is shown again")
	}
	if res, body := b.post("/switches", form); res.StatusCode != http.StatusConflict {
		t.Errorf("the same name again = %d, want 409: %s", res.StatusCode, head(body))
	}
	form = url.Values{"form": form["form"]}
	key(b.post("/switches/fs1/renew", form))
	if _, err := r.access.Tokens.Verify(first, auth.Native); err == nil {
		t.Error("the first key still opens")
	}
	if res, body := b.post("/switches/fs1/delete", form); res.StatusCode != http.StatusSeeOther {
		t.Errorf("delete = %d, want 303: %s", res.StatusCode, head(body))
	}
	if res, body := b.post("/switches/fs1/renew", form); res.StatusCode != http.StatusNotFound {
		t.Errorf("renewing what is gone = %d, want 404: %s", res.StatusCode, head(body))
	}
	wants(t, second(b.get("/switches")), "nobody has a key")
}
