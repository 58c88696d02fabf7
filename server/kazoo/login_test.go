package kazoo

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

func md5Hex(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }

func shaHex(s string) string { h := sha1.Sum([]byte(s)); return hex.EncodeToString(h[:]) }

func TestAUserLogsInByAHash(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "North-Field, Inc.")
	uid := s.want(201, "PUT", "/v2/accounts/"+id+"/users", s.token, `{"data":{"first_name":"Ines","last_name":"Ruiz","username":"ines","password":"correct horse"}}`).text("data.id")
	realm := s.want(200, "GET", "/v2/accounts/"+id, s.token, "").text("data.realm")
	good, sha := md5Hex("ines:correct horse"), shaHex("ines:correct horse")
	for _, tt := range []struct {
		name, data string
		status     int
		at, want   string
	}{
		{"md5 and a name in another spelling", `"credentials":"` + good + `","account_name":"north field INC"`, 201, "data.owner_id", uid},
		{"md5 in upper case", `"credentials":"` + strings.ToUpper(good) + `","account_name":"northfieldinc","method":"md5"`, 201, "data.account_id", id},
		{"sha and a realm", `"credentials":"` + sha + `","account_realm":"` + realm + `","method":"sha"`, 201, "data.reseller_id", s.master},
		{"sha as md5", `"credentials":"` + sha + `","account_realm":"` + realm + `"`, 401, "message", "invalid_credentials"},
		{"a wrong password", `"credentials":"` + md5Hex("ines:battery staple") + `","account_name":"northfieldinc"`, 401, "message", "invalid_credentials"},
		{"another account", `"credentials":"` + good + `","account_name":"nobody"`, 401, "message", "invalid_credentials"},
		{"a phone number", `"credentials":"` + good + `","phone_number":"+15551234567"`, 401, "message", "invalid_credentials"},
		{"no credentials", `"account_name":"northfieldinc"`, 400, "data.credentials.required.message", "Field is required but missing"},
		{"empty credentials", `"credentials":"","account_name":"northfieldinc"`, 400, "data.credentials.minLength.target", "1"},
		{"long credentials", `"credentials":"` + strings.Repeat("a", 65) + `","account_name":"northfieldinc"`, 400, "data.credentials.maxLength.target", "64"},
		{"another method", `"credentials":"` + good + `","account_name":"northfieldinc","method":"plain"`, 400, "data.method.enum.value", "plain"},
		{"no locator", `"credentials":"` + good + `"`, 400, "data.account_name.required.message", "Exactly one of account_name, account_realm and phone_number is required"},
		{"two locators", `"credentials":"` + good + `","account_name":"x","account_realm":"y.example"`, 400, "error", "400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("PUT", "/v2/user_auth", "", `{"data":{`+tt.data+`}}`)
			if r.status != tt.status || r.text(tt.at) != tt.want {
				t.Errorf("user_auth = %d %s, want %d with %s = %s", r.status, r.raw, tt.status, tt.at, tt.want)
			}
		})
	}
}

func TestLoginsOfWhatIsSwitchedOffAreLocked(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	uid := s.want(201, "PUT", "/v2/accounts/"+id+"/users", s.token, `{"data":{"first_name":"a","last_name":"b","username":"ines","password":"correct horse"}}`).text("data.id")
	login := `{"data":{"credentials":"` + md5Hex("ines:correct horse") + `","account_name":"northfield"}}`
	session := s.want(201, "PUT", "/v2/user_auth", "", login).text("auth_token")
	s.want(200, "PATCH", "/v2/accounts/"+id+"/users/"+uid, s.token, `{"data":{"enabled":false}}`)
	s.want(423, "PUT", "/v2/user_auth", "", login)
	s.clock.move(time.Second)
	s.want(200, "PATCH", "/v2/accounts/"+id+"/users/"+uid, s.token, `{"data":{"enabled":true,"password":"battery staple"}}`)
	s.want(401, "PUT", "/v2/user_auth", "", login)
	s.want(401, "GET", "/v2/accounts/"+id, session, "") // the password's change ended it
	s.want(200, "PATCH", "/v2/accounts/"+id, s.token, `{"data":{"enabled":false}}`)
	if r := s.call("PUT", "/v2/user_auth", "", strings.Replace(login, md5Hex("ines:correct horse"), md5Hex("ines:battery staple"), 1)); r.status != 423 || r.text("message") != "disabled" {
		t.Errorf("login of a disabled account = %d %s, want 423 disabled", r.status, r.raw)
	}
	s.want(423, "GET", "/v2/accounts/"+id, token, "")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	s := newServer(t)
	s.tenant(s.master, "Northfield")
	guess := `{"data":{"credentials":"` + md5Hex("ines:guess") + `","account_name":"northfield"}}`
	var r reply
	for range 12 {
		r = s.call("PUT", "/v2/user_auth", "", guess)
	}
	if r.status != 429 || r.header.Get("Retry-After") == "" || r.text("message") != "too_many_requests" {
		t.Errorf("the 12th guess = %d %s, want 429 with Retry-After", r.status, r.raw)
	}
}

func TestTokensAreShownRenewedAndRevoked(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	if r := s.want(200, "GET", "/v2/token_auth", token, ""); r.text("data.account_id") != id {
		t.Errorf("token_auth = %s, want account %s", r.raw, id)
	}
	if r := s.want(200, "GET", "/v2/auth/tokeninfo?token="+token, "", ""); r.text("data.iss") != "kazoo" || r.text("data.method") != "cb_api_auth" || r.text("data.account_id") != id {
		t.Errorf("tokeninfo = %s, want the claims", r.raw)
	}
	if r := s.want(200, "GET", "/v2/user_auth/"+token, "", ""); r.text("data.account_id") != id || r.text("auth_token") != token {
		t.Errorf("user_auth/{token} = %s, want account %s", r.raw, id)
	}
	renewed := s.want(201, "PUT", "/v2/auth", token, `{"data":{},"action":"refresh_token"}`).text("auth_token")
	s.want(200, "DELETE", "/v2/token_auth", token, "")
	s.want(401, "GET", "/v2/token_auth", token, "")
	s.want(200, "GET", "/v2/token_auth", renewed, "")
	s.clock.move(61 * time.Minute)
	s.want(401, "GET", "/v2/token_auth", renewed, "")
}

func TestTheMasterActsAsAUser(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	uid := s.want(201, "PUT", "/v2/accounts/"+id+"/users", s.token, `{"data":{"first_name":"a","last_name":"b"}}`).text("data.id")
	path := "/v2/accounts/" + id + "/users/" + uid + "/user_auth"
	s.want(403, "PUT", path, token, `{"data":{"action":"impersonate_user"}}`)
	as := s.want(201, "PUT", path, s.token, `{"data":{"action":"impersonate_user"}}`).text("auth_token")
	r := s.want(200, "GET", "/v2/auth/tokeninfo", as, "")
	if r.text("data.as") != uid || r.text("data.original_account_id") != s.master || r.text("data.owner_id") != uid {
		t.Errorf("claims = %s, want as %s from %s", r.raw, uid, s.master)
	}
}
