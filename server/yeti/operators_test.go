package yeti

import (
	"testing"

	"billd/storage"
)

func TestAnOperatorActsFromItsNetworksOnly(t *testing.T) {
	r := newRig(t)
	allow := func(networks ...string) {
		r.update(func(tx *storage.Tx) error {
			o, err := tx.OperatorByLogin("admin")
			if err != nil {
				return err
			}
			o.AllowedIPs = networks
			return tx.Operators.Put(o)
		})
	}
	signIn := func(password string) answer {
		return r.do("POST", AdminBase+"/auth", `{"auth":{"username":"admin","password":"`+password+`"}}`, map[string]string{"Content-Type": "application/json", "Authorization": ""})
	}
	allow("127.0.0.0/8")
	if a := signIn(testPassword); a.StatusCode != 201 {
		t.Errorf("from a network that is allowed = %d %s, want 201", a.StatusCode, a.body)
	}
	allow("192.0.2.0/24", "::1")
	want := `{"errors":[{"title":"Authentication failed","detail":"Your IP address is not allowed.","code":"401","status":"401"}]}`
	if a := signIn(testPassword); a.StatusCode != 401 || a.body != want {
		t.Errorf("from elsewhere = %d %s, want 401 %s", a.StatusCode, a.body, want)
	}
	if got, want := signIn("wrong").details(), ": Incorrect login or password."; got != want {
		t.Errorf("with a wrong password = %s, want %s", got, want)
	}
	if a := r.admin("GET", "/accounts", ""); a.StatusCode != 401 || a.body != "" {
		t.Errorf("a token of before = %d %q, want an empty 401", a.StatusCode, a.body)
	}
	allow()
	if a := r.admin("GET", "/accounts", ""); a.StatusCode != 200 {
		t.Errorf("from anywhere = %d %s, want 200", a.StatusCode, a.body)
	}
}
