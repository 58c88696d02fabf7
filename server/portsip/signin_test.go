package portsip

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"billd/server/auth"
	"billd/storage"
)

func TestSignIn(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name, body string
		status     int
		code, role string
	}{
		{"an operator has no domain", `{"username":"anna","password":"correct horse"}`, 200, "", roleSystem},
		{"a null domain is none", `{"username":"anna","password":"correct horse","domain":null}`, 200, "", roleSystem},
		{"a tenant's administrator", `{"username":"Boss","password":"correct horse","domain":"north.example"}`, 200, "", roleAdmin},
		{"domain and user in any case", `{"username":"bOSS","password":"correct horse","domain":"NORTH.example"}`, 200, "", roleAdmin},
		{"a tenant's user", `{"username":"101","password":"correct horse","domain":"north.example"}`, 200, "", roleUser},
		{"a wrong password", `{"username":"anna","password":"battery staple"}`, 401, codeUnauthorized, ""},
		{"an unknown operator", `{"username":"otto","password":"correct horse"}`, 401, codeUnauthorized, ""},
		{"an operator is in no domain", `{"username":"anna","password":"correct horse","domain":"north.example"}`, 401, codeUnauthorized, ""},
		{"an unknown domain", `{"username":"101","password":"correct horse","domain":"south.example"}`, 401, codeUnauthorized, ""},
		{"a user without the domain", `{"username":"101","password":"correct horse"}`, 401, codeUnauthorized, ""},
		{"a user who is switched off", `{"username":"102","password":"correct horse","domain":"north.example"}`, 401, codeUnauthorized, ""},
		{"a zero byte", `{"username":"10\u0000","password":"correct horse","domain":"north.example"}`, 401, codeUnauthorized, ""},
		{"no user name", `{"password":"x"}`, 400, codeInvalid, ""},
		{"an empty user name", `{"username":"","password":"x"}`, 400, codeInvalid, ""},
		{"a long user name", `{"username":"` + strings.Repeat("a", 65) + `","password":"x"}`, 400, codeInvalid, ""},
		{"no password", `{"username":"anna"}`, 400, codeInvalid, ""},
		{"a password that is a number", `{"username":"anna","password":5}`, 400, codeInvalid, ""},
		{"an empty domain", `{"username":"anna","password":"x","domain":""}`, 400, codeInvalid, ""},
		{"no JSON", `username=anna`, 400, codeInvalid, ""},
	} {
		for _, path := range []string{"/api/auth/sign_in", "/api/login"} {
			t.Run(tt.name+" at "+path, func(t *testing.T) {
				a := r.send("", "POST", path, tt.body)
				a.want(t, tt.status, tt.code)
				if tt.status != 200 {
					return
				}
				if got := a.member(t, "token_type") + a.member(t, "expires_in"); got != "Bearer3600" {
					t.Errorf("type and lifetime = %s, want Bearer3600", got)
				}
				who := r.send(a.member(t, "access_token"), "GET", "/api/auth/user", "")
				if want := `{"role":"` + tt.role + `","password_verified":true,"password_force_reset":false}`; who.body != want {
					t.Errorf("auth/user = %s, want %s", who.body, want)
				}
			})
		}
	}
	t.Run("qr wants true or false", func(t *testing.T) {
		const body = `{"username":"anna","password":"correct horse"}`
		r.send("", "POST", "/api/auth/sign_in?qr=true", body).want(t, 200, "")
		r.send("", "POST", "/api/auth/sign_in?qr=maybe", body).want(t, 400, codeInvalid)
	})
}

func TestAGuesserIsSlowedDown(t *testing.T) {
	r := newRig(t)
	wrong := `{"username":"anna","password":"guess"}`
	for range 10 {
		r.send("", "POST", "/api/auth/sign_in", wrong).want(t, 401, codeUnauthorized)
	}
	a := r.send("", "POST", "/api/auth/sign_in", `{"username":"anna","password":"correct horse"}`)
	a.want(t, 429, codeTooMany)
	if got := a.Header.Get("Retry-After"); got != "30" {
		t.Errorf("Retry-After = %q, want 30", got)
	}
	r.at(noon.Add(30 * time.Second))
	r.send("", "POST", "/api/auth/sign_in", `{"username":"anna","password":"correct horse"}`).want(t, 200, "")
}

func TestRefreshTokensAreUsedOnce(t *testing.T) {
	r := newRig(t)
	first := r.send("", "POST", "/api/auth/sign_in", `{"username":"Boss","password":"correct horse","domain":"north.example"}`)
	use := `{"refresh_token":"` + first.member(t, "refresh_token") + `"}`
	second := r.send("", "POST", "/api/auth/refresh_token", use)
	second.want(t, 200, "")
	r.send(second.member(t, "access_token"), "GET", "/api/call_rates", "").want(t, 200, "")
	r.send(first.member(t, "access_token"), "GET", "/api/call_rates", "").want(t, 401, codeUnauthorized)
	for _, tt := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"the same again", use, 401, codeUnauthorized},
		{"an unknown one", `{"refresh_token":"x"}`, 401, codeUnauthorized},
		{"an access token", `{"refresh_token":"` + second.member(t, "access_token") + `"}`, 401, codeUnauthorized},
		{"none", `{}`, 400, codeInvalid},
		{"a number", `{"refresh_token":5}`, 400, codeInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.send("", "POST", "/api/auth/refresh_token", tt.body).want(t, tt.status, tt.code)
		})
	}
	t.Run("a refresh token is no access token", func(t *testing.T) {
		r.send(second.member(t, "refresh_token"), "GET", "/api/call_rates", "").want(t, 401, codeUnauthorized)
	})
}

func TestSessionsEnd(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name, path string
		status     int
	}{
		{"sign_out", "/api/auth/sign_out", 200},
		{"revoke", "/api/login/oauth/revoke", 200},
		{"logout", "/api/logout", 204},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := r.send("", "POST", "/api/login", `{"username":"anna","password":"correct horse"}`)
			token := in.member(t, "access_token")
			session := r.send(token, "GET", "/api/login", "")
			session.want(t, 200, "")
			want := fmt.Sprintf(`{"access_token":"%s","expires_at":"2026-11-21T13:00:00Z","expires_in":3600,"role":"SystemAdmin"}`, token)
			if session.body != want {
				t.Errorf("session = %s, want %s", session.body, want)
			}
			if a := r.send(token, "POST", tt.path, ""); a.StatusCode != tt.status || a.body != "" {
				t.Errorf("%s = %d %q, want %d and no body", tt.path, a.StatusCode, a.body, tt.status)
			}
			r.send(token, "GET", "/api/login", "").want(t, 401, codeUnauthorized)
			r.send(token, "POST", tt.path, "").want(t, 401, codeUnauthorized)
			r.send("", "POST", "/api/auth/refresh_token", `{"refresh_token":"`+in.member(t, "refresh_token")+`"}`).want(t, 401, codeUnauthorized)
		})
	}
}

func TestTokensExpire(t *testing.T) {
	r := newRig(t)
	r.at(noon.Add(time.Hour))
	r.get("/api/call_rates").want(t, 401, codeUnauthorized)
}

func TestOAuthGrants(t *testing.T) {
	r := newRig(t)
	form := func(pairs ...string) string {
		v := url.Values{"scope": {"all"}, "client_id": {"9d806019-75b2-4b3d-bb8b-f5a3a412cc0a"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	grant := func(body string) answer { return r.send("", "POST", "/api/login/oauth/token", body) }
	first := grant(form("grant_type", "password", "username", "101", "password", password, "domain", "north.example"))
	first.want(t, 200, "")
	r.send(first.member(t, "access_token"), "GET", "/api/user/balance", "").want(t, 200, "")
	second := grant(form("grant_type", "refresh_token", "refresh_token", first.member(t, "refresh_token")))
	second.want(t, 200, "")
	if got := second.member(t, "token_type"); got != "Bearer" {
		t.Errorf("token_type = %s, want Bearer", got)
	}
	grant(form("grant_type", "password", "username", "anna", "password", password)).want(t, 200, "")
	for _, tt := range []struct {
		name, body, code string
	}{
		{"a wrong password", form("grant_type", "password", "username", "anna", "password", "x"), codeUnauthorized},
		{"a used refresh token", form("grant_type", "refresh_token", "refresh_token", first.member(t, "refresh_token")), codeUnknown},
		{"no refresh token", form("grant_type", "refresh_token"), codeUnknown},
		{"no user name", form("grant_type", "password", "password", "x"), codeInvalid},
		{"no password", form("grant_type", "password", "username", "anna"), codeInvalid},
		{"a long domain", form("grant_type", "password", "username", "anna", "password", "x", "domain", strings.Repeat("x", 281)), codeInvalid},
		{"another grant", form("grant_type", "client_credentials"), codeInvalid},
		{"no grant", "", codeInvalid},
		{"no form", "%zz", codeInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) { grant(tt.body).want(t, 400, tt.code) })
	}
}

func TestWhatSignInDoesNotOffer(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"one-time passwords", "POST", "/api/auth/send_otp", 404, codeNotFound},
		{"their check", "POST", "/api/auth/verify_otp", 404, codeNotFound},
		{"another path", "GET", "/api/login/saml", 404, codeNotFound},
		{"sign_in by GET", "GET", "/api/auth/sign_in", 405, codeMethod},
		{"auth/user by POST without a token", "POST", "/api/auth/user", 401, codeUnauthorized},
		{"the session by PUT without a token", "PUT", "/api/login", 401, codeUnauthorized},
		{"the session without a token", "GET", "/api/login", 401, codeUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) { r.send("", tt.method, tt.path, "{}").want(t, tt.status, tt.code) })
	}
	a := r.send(r.operator, "PUT", "/api/login", "")
	a.want(t, 405, codeMethod)
	if got := a.Header.Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow = %s, want GET, POST", got)
	}
}

func TestATokenOfAnAccountThatIsGone(t *testing.T) {
	r := newRig(t)
	pair, err := r.tokens.PortSIP(auth.Principal{Kind: auth.KindOperator, ID: 1, AccountID: 99}, 0)
	must(t, err)
	r.send(pair.Access.Text, "GET", "/api/tenant/balance", "").want(t, 401, codeUnauthorized)
}

func TestAnOperatorSignsInFromItsNetworksOnly(t *testing.T) {
	r := newRig(t)
	const body = `{"username":"anna","password":"correct horse"}`
	for _, tt := range []struct {
		networks []string
		status   int
		code     string
	}{{[]string{"127.0.0.0/8"}, 200, ""}, {[]string{"192.0.2.0/24"}, 401, codeUnauthorized}, {nil, 200, ""}} {
		must(t, r.db.Update(t.Context(), func(tx *storage.Tx) error {
			o, err := tx.OperatorByLogin("anna")
			if err != nil {
				return err
			}
			o.AllowedIPs = tt.networks
			return tx.Operators.Put(o)
		}))
		r.send("", "POST", "/api/auth/sign_in", body).want(t, tt.status, tt.code)
	}
}
