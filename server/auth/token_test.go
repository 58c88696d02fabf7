package auth

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestYetiTokensAreWrittenToTheByte(t *testing.T) {
	r := newRig(t)
	exp := fmt.Sprint(start.Add(10 * time.Minute).Unix())
	for _, tt := range []struct {
		name, claims string
		token        Token
	}{
		{"admin is sub, aud, exp", `{"sub":7,"aud":["admin"],"exp":` + exp + `}`, must[Token](t)(r.Admin(7, 0))},
		{"customer is aud, sub, exp", `{"aud":["customer-v1"],"sub":12,"exp":` + exp + `}`, must[Token](t)(r.Customer(12, 0))},
		{"a dynamic customer has sub D and cfg", `{"aud":["customer-v1"],"sub":"D","exp":` + exp + `,"cfg":{"customer_id":3,` +
			`"customer_portal_access_profile_id":1,"account_ids":[4],"allow_outgoing_numberlists_ids":[],"allowed_ips":[],"provision_gateway_id":null}}`,
			must[Token](t)(r.DynamicCustomer(Dynamic{CustomerID: 3, CustomerPortalAccessProfileID: 1, AccountIDs: []uint64{4}}, 0))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := segment(t, tt.token.Text, 0), `{"alg":"HS256"}`; got != want {
				t.Errorf("header = %s, want %s", got, want)
			}
			if got := segment(t, tt.token.Text, 1); got != tt.claims {
				t.Errorf("claims = %s, want %s", got, tt.claims)
			}
			if want := start.Add(10 * time.Minute); !tt.token.ExpiresAt.Equal(want) {
				t.Errorf("ExpiresAt = %s, want %s", tt.token.ExpiresAt, want)
			}
		})
	}
}

func TestKazooTokenCarriesKazoosClaims(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Kazoo(KazooIdentity{AccountID: "a1", OwnerID: "b2", Method: KazooUserAuth}, 0))
	if got, want := segment(t, token.Text, 0), `{"alg":"HS256","typ":"JWT","kid":"1"}`; got != want {
		t.Errorf("header = %s, want %s", got, want)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(segment(t, token.Text, 1)), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"iss": "kazoo", "account_id": "a1", "owner_id": "b2", "method": "cb_user_auth",
		"exp": float64(start.Add(time.Hour).Unix())} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	if s, _ := got["identity_sig"].(string); len(s) != 43 {
		t.Errorf("identity_sig = %v, want 43 characters", got["identity_sig"])
	}
	if _, there := got["as"]; there {
		t.Errorf("as is there, want it left out")
	}
	if again := must[Token](t)(r.Kazoo(KazooIdentity{AccountID: "a1", OwnerID: "b2", Method: KazooUserAuth}, 0)); again.Text == token.Text {
		t.Error("two tokens of one second are alike, want them different")
	}
}

func TestVerifySaysWhoATokenSpeaksFor(t *testing.T) {
	r := newRig(t)
	pair := must[Pair](t)(r.PortSIP(Principal{Kind: KindPortSIPUser, ID: 5, AccountID: 2}, 0))
	for _, tt := range []struct {
		name  string
		token Token
		want  Principal
	}{
		{"admin", must[Token](t)(r.Admin(7, 0)), Principal{Surface: Admin, Kind: KindOperator, ID: 7}},
		{"customer", must[Token](t)(r.Customer(12, 0)), Principal{Surface: Customer, Kind: KindAPIAccess, ID: 12}},
		{"dynamic", must[Token](t)(r.DynamicCustomer(Dynamic{CustomerID: 3}, 0)), Principal{Surface: Customer, Kind: KindCustomer, ID: 3}},
		{"kazoo user", must[Token](t)(r.Kazoo(KazooIdentity{AccountID: "a1", OwnerID: "b2"}, 0)),
			Principal{Surface: Kazoo, Kind: KindKazooUser, UUID: "b2", AccountUUID: "a1"}},
		{"kazoo key", must[Token](t)(r.Kazoo(KazooIdentity{AccountID: "a1"}, 0)),
			Principal{Surface: Kazoo, Kind: KindAPIKey, UUID: "a1", AccountUUID: "a1"}},
		{"portsip", pair.Access, Principal{Surface: PortSIP, Kind: KindPortSIPUser, ID: 5, AccountID: 2}},
		{"native", must[Token](t)(r.Native(Principal{Kind: KindOperator, ID: 1}, 0)), Principal{Surface: Native, Kind: KindOperator, ID: 1}},
		{"a number beyond 2^53", must[Token](t)(r.Admin(1<<60+1, 0)), Principal{Surface: Admin, Kind: KindOperator, ID: 1<<60 + 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, state := range []string{"first", "remembered"} {
				c, err := r.Verify(tt.token.Text, tt.want.Surface)
				if err != nil {
					t.Fatalf("%s: %v", state, err)
				}
				if c.Principal != tt.want || !c.ExpiresAt.Equal(tt.token.ExpiresAt) {
					t.Errorf("%s: got %+v until %s, want %+v until %s", state, c.Principal, c.ExpiresAt, tt.want, tt.token.ExpiresAt)
				}
			}
			for _, other := range Surfaces() {
				if _, err := r.Verify(tt.token.Text, other); other != tt.want.Surface && rule(err) != "signature" {
					t.Errorf("on surface %s: %v, want it refused", other, err)
				}
			}
			if c, err := r.Verify(tt.token.Text, Surfaces()...); err != nil || c.Principal != tt.want {
				t.Errorf("on any surface: %v, want %+v", err, tt.want)
			}
			if _, err := r.Verify(tt.token.Text); rule(err) != "signature" {
				t.Errorf("on no surface: %v, want it refused", err)
			}
		})
	}
}

func TestARotatedSecretVerifiesForOneGenerationMore(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Admin(7, time.Hour))
	other := must[Token](t)(r.Native(Principal{Kind: KindOperator, ID: 7}, time.Hour))
	for i, want := range []string{"", "signature"} {
		if _, err := r.Verify(token.Text, Admin); err != nil {
			t.Fatalf("before rotation %d: %v, want it accepted", i+1, err)
		}
		if err := r.secrets.Rotate(Admin); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Verify(token.Text, Admin); err != nil && rule(err) != want || err == nil && want != "" {
			t.Errorf("after rotation %d: %v, want %q", i+1, err, want)
		}
	}
	if _, err := r.Verify(must[Token](t)(r.Admin(7, 0)).Text, Admin); err != nil {
		t.Errorf("a token of the newest secret: %v, want it accepted", err)
	}
	if _, err := r.Verify(other.Text, Native); err != nil {
		t.Errorf("a token of another surface: %v, want it accepted", err)
	}
}

func TestTokensAreSafeForManyGoroutines(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				token, err := r.Admin(uint64(i), time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				c, err := r.Verify(token.Text, Admin)
				if err != nil || c.Principal.ID != uint64(i) {
					t.Errorf("Verify = %v, %v, want operator %d", c, err, i)
				}
				if i == 0 {
					r.Forget()
				}
			}
		})
	}
	wg.Go(func() { _ = r.secrets.Rotate(Admin) })
	wg.Go(func() { _ = r.secrets.Reload() })
	wg.Wait()
}
