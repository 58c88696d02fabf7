package portsip

import (
	"context"
	"testing"

	"billd/rating"
	"billd/storage"
)

func TestTenantBilling(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct{ name, body, want string }{
		{"the defaults", `{}`, `{"enabled":false,"account":"TENANT","type":"OFFLINE"}`},
		{"one of them", `{"enabled":true}`, `{"enabled":true,"account":"TENANT","type":"OFFLINE"}`},
		{"the others", `{"account":"USER","type":"ONLINE"}`, `{"enabled":true,"account":"USER","type":"ONLINE"}`},
		{"back again", `{"enabled":false,"account":"TENANT","colour":1}`, `{"enabled":false,"account":"TENANT","type":"ONLINE"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := r.send(r.admin, "POST", "/api/tenant/billing", tt.body)
			if a.StatusCode != 200 || a.body != "" {
				t.Errorf("POST = %d %q, want 200 and no body", a.StatusCode, a.body)
			}
			if got := r.send(r.admin, "GET", "/api/tenant/billing", ""); got.body != tt.want {
				t.Errorf("billing = %s, want %s", got.body, tt.want)
			}
		})
	}
	for _, body := range []string{`{"enabled":"true"}`, `{"enabled":null}`, `{"account":"user"}`, `{"type":"PREPAID"}`, `{"enabled":true,"type":1}`, `[]`} {
		r.send(r.admin, "POST", "/api/tenant/billing", body).want(t, 400, codeInvalid)
	}
	want := `{"enabled":false,"account":"TENANT","type":"ONLINE"}`
	if got := r.send(r.admin, "GET", "/api/tenant/billing", ""); got.body != want {
		t.Errorf("after refusals = %s, want %s", got.body, want)
	}
	if got := r.get("/api/tenant/billing"); got.body != `{"enabled":false,"account":"TENANT","type":"OFFLINE"}` {
		t.Errorf("another tenant's = %s, want the defaults", got.body)
	}
	r.send(r.user, "GET", "/api/tenant/billing", "").want(t, 403, codeForbidden)
}

func TestBalancesAreRecharged(t *testing.T) {
	r := newRig(t)
	balance := func(path, want string) {
		t.Helper()
		if got := r.send(r.admin, "GET", path, ""); got.body != `{"balance":`+want+`}` {
			t.Errorf("%s = %s, want %s", path, got.body, want)
		}
	}
	user := "/api/users/" + encodeID(idBase+uint64(r.child.ID)) + "/balance"
	balance("/api/tenant/balance", "0")
	for _, tt := range []struct{ name, path, body string }{
		{"a recharge is added", "/api/tenant/balance", `{"balance":10.5}`},
		{"to what is there", "/api/tenant/balance", `{"balance":1e-5}`},
		{"0 is nothing", "/api/tenant/balance", `{"balance":0}`},
		{"a user has an account of their own", user, `{"balance":3.123456}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a := r.send(r.admin, "POST", tt.path, tt.body); a.StatusCode != 200 || a.body != "" {
				t.Errorf("POST = %d %q, want 200 and no body", a.StatusCode, a.body)
			}
		})
	}
	balance("/api/tenant/balance", "10.50001")
	balance("/api/user/balance", "10.50001")
	balance(user, "3.12346")
	for _, body := range []string{`{}`, `{"balance":"5"}`, `{"balance":null}`, `{"balance":-1}`, `{"balance":1e30}`, `nonsense`} {
		r.send(r.admin, "POST", "/api/tenant/balance", body).want(t, 400, codeInvalid)
	}
	balance("/api/tenant/balance", "10.50001")
	must(t, r.db.View(context.Background(), func(tx *storage.Tx) error {
		return tx.Payments.Each(0, func(p *storage.Payment) (bool, error) {
			if p.Account == r.tenant.ID && p.Amount == 10_500_000 && (p.Notes == nil || *p.Notes == "") {
				t.Errorf("payment %d has no notes", p.ID)
			}
			return true, nil
		})
	}))
}

func TestUsersAreTheAccountsBelow(t *testing.T) {
	r := newRig(t)
	path := func(id rating.AccountID) string { return "/api/users/" + encodeID(idBase+uint64(id)) + "/balance" }
	for _, tt := range []struct {
		name, token, method, path, body string
		status                          int
		code                            string
	}{
		{"an account below", r.admin, "GET", path(r.child.ID), "", 200, ""},
		{"the tenant itself", r.admin, "GET", path(r.tenant.ID), "", 404, codeNotFound},
		{"an account of another tenant", r.operator, "GET", path(r.child.ID), "", 404, codeNotFound},
		{"an operator's own tenants", r.operator, "GET", path(r.tenant.ID), "", 200, ""},
		{"no such account", r.admin, "GET", path(99), "", 404, codeNotFound},
		{"a malformed id", r.admin, "GET", "/api/users/abc/balance", "", 400, codeInvalid},
		{"which comes before the body", r.admin, "POST", "/api/users/abc/balance", "x", 400, codeInvalid},
		{"no such account comes before the body", r.admin, "POST", path(99), "x", 404, codeNotFound},
		{"a plain user", r.user, "GET", path(r.child.ID), "", 403, codeForbidden},
		{"whose own balance is read-only", r.user, "POST", "/api/user/balance", `{"balance":1}`, 405, codeMethod},
		{"and readable", r.user, "GET", "/api/user/balance", "", 200, ""},
		{"the list of users is the PBX's", r.admin, "GET", "/api/users", "", 404, codeNotFound},
		{"so is a user", r.admin, "GET", "/api/users/" + encodeID(idBase+3), "", 404, codeNotFound},
		{"and the user's own page", r.user, "GET", "/api/user", "", 404, codeNotFound},
		{"tenants are the PBX's", r.admin, "GET", "/api/tenant/other", "", 404, codeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) { r.send(tt.token, tt.method, tt.path, tt.body).want(t, tt.status, tt.code) })
	}
}

func TestTenant(t *testing.T) {
	r := newRig(t)
	want := `{"id":"` + encodeID(idBase+uint64(r.tenant.ID)) + `","name":"Northfield","domain":"north.example","currency":"EUR","enable_billing":false,"enable_feature_billing":false}`
	if got := r.send(r.admin, "GET", "/api/tenant", ""); got.body != want {
		t.Errorf("tenant = %s, want %s", got.body, want)
	}
	r.send(r.admin, "POST", "/api/tenant", "{}").want(t, 405, codeMethod)
}

func TestPathsOfOtherSurfacesAreLeftAlone(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/api", "/api/rest/admin/accounts", "/api/v1/cdrs", "/api/call_ratesx", "/api/tenants", "/api/userx", "/api/authority"} {
		if a := r.get(path); a.StatusCode != 404 || a.Header.Get("Content-Type") == "application/json" {
			t.Errorf("%s = %d %s, want fiber's own 404", path, a.StatusCode, a.body)
		}
	}
}
