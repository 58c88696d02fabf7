package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"billd/rating"
)

func TestForgedTokensAreRefused(t *testing.T) {
	r := newRig(t)
	key := r.operatorKey(t)
	const hs256 = `{"alg":"HS256"}`
	exp := start.Add(time.Minute).Unix()
	good := fmt.Sprintf(`{"sub":7,"aud":["admin"],"exp":%d}`, exp)
	unsigned := strings.Join(strings.Split(forge(`{"alg":"none"}`, good, sha256.New, key), ".")[:2], ".") + "."
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	rs256 := must[string](t)(jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": 7, "aud": []string{"admin"}, "exp": exp}).SignedString(rsaKey))
	whole := forge(hs256, good, sha256.New, key)
	for _, tt := range []struct{ name, token, want string }{
		{"the forger's own key would do", whole, ""},
		{"alg none is refused", unsigned, "signature"},
		{"alg none with a signature is refused", forge(`{"alg":"none"}`, good, sha256.New, key), "signature"},
		{"HS384 with the right key is refused", forge(`{"alg":"HS384"}`, good, sha512.New384, key), "signature"},
		{"HS512 with the right key is refused", forge(`{"alg":"HS512"}`, good, sha512.New, key), "signature"},
		{"RS256 is refused", rs256, "signature"},
		{"a header that says RS256 over an HMAC is refused", forge(`{"alg":"RS256"}`, good, sha256.New, key), "signature"},
		{"no alg is refused", forge(`{"typ":"JWT"}`, good, sha256.New, key), "signature"},
		{"a missing exp is refused", forge(hs256, `{"sub":7,"aud":["admin"]}`, sha256.New, key), "signature"},
		{"an exp of null is refused", forge(hs256, `{"sub":7,"aud":["admin"],"exp":null}`, sha256.New, key), "signature"},
		{"an exp that is now is refused", forge(hs256, fmt.Sprintf(`{"sub":7,"aud":["admin"],"exp":%d}`, start.Unix()), sha256.New, key), "expired"},
		{"another audience is refused", forge(hs256, fmt.Sprintf(`{"sub":7,"aud":["customer-v1"],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"a second audience is refused", forge(hs256, fmt.Sprintf(`{"sub":7,"aud":["admin","native"],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"no audience is refused", forge(hs256, fmt.Sprintf(`{"sub":7,"exp":%d}`, exp), sha256.New, key), "signature"},
		{"an empty audience is refused", forge(hs256, fmt.Sprintf(`{"sub":7,"aud":[],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"a sub of text is refused", forge(hs256, fmt.Sprintf(`{"sub":"7","aud":["admin"],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"a negative sub is refused", forge(hs256, fmt.Sprintf(`{"sub":-7,"aud":["admin"],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"sub D opens no admin surface", forge(hs256, fmt.Sprintf(`{"sub":"D","cfg":{},"aud":["admin"],"exp":%d}`, exp), sha256.New, key), "signature"},
		{"another operator's key is refused", forge(hs256, strings.Replace(good, "7", "8", 1), sha256.New, key), "signature"},
		{"an empty key is refused", forge(hs256, good, sha256.New, nil), "signature"},
		{"the surface's own secret is refused", forge(hs256, good, sha256.New, r.secrets.ring.Load().Surfaces[Admin][0].Secret), "signature"},
		{"a changed last bit of the base64 is refused", whole[:len(whole)-1] + next(whole[len(whole)-1:]), "format"},
		{"padding is refused", whole + "=", "format"},
		{"a fourth part is refused", whole + ".x", "format"},
		{"one word is refused", "hello", "format"},
		{"nothing is refused", "", "required"},
		{"a long token is refused", whole + strings.Repeat("A", maxTokenBytes), "format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Verify(tt.token, Admin)
			if tt.want == "" {
				if err != nil {
					t.Errorf("Verify = %v, want it accepted", err)
				}
				return
			}
			if rule(err) != tt.want || rating.KindOf(err) != rating.Unauthenticated {
				t.Errorf("Verify = %v (%s), want it refused for %s", err, rule(err), tt.want)
			}
		})
	}
}

func TestATokenEndsWithItsLifetime(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Admin(7, time.Minute))
	r.wait(time.Minute - time.Second)
	if _, err := r.Verify(token.Text, Admin); err != nil {
		t.Errorf("a second before: %v, want it accepted", err)
	}
	r.wait(time.Second)
	if _, err := r.Verify(token.Text, Admin); rule(err) != "expired" {
		t.Errorf("at exp, remembered: %v, want expired", err)
	}
	for _, ttl := range []time.Duration{-1, time.Millisecond, MaxTTL + 1} {
		if _, err := r.Admin(7, ttl); rating.KindOf(err) != rating.Invalid {
			t.Errorf("a lifetime of %s: %v, want it refused", ttl, err)
		}
	}
}

func TestANewPasswordEndsOlderTokens(t *testing.T) {
	operator := Principal{Surface: Admin, Kind: KindOperator, ID: 7}
	r := newRig(t)
	old := must[Token](t)(r.Admin(7, time.Hour))
	neighbour := must[Token](t)(r.Admin(8, time.Hour))
	if _, err := r.Verify(old.Text, Admin); err != nil {
		t.Fatal(err)
	}
	r.epoch[operator] = Epoch(start.Add(time.Millisecond))
	r.Forget()
	if _, err := r.Verify(old.Text, Admin); rule(err) != "signature" {
		t.Errorf("the older token: %v, want it refused", err)
	}
	// Issued in the same second, so with the same sub, aud and exp as the one refused.
	if _, err := r.Verify(must[Token](t)(r.Admin(7, time.Hour)).Text, Admin); err != nil {
		t.Errorf("a newer token: %v, want it accepted", err)
	}
	if _, err := r.Verify(neighbour.Text, Admin); err != nil {
		t.Errorf("another operator's token: %v, want it accepted", err)
	}
	r.gone[operator] = true
	r.Forget()
	if _, err := r.Verify(old.Text, Admin); rule(err) != "gone" {
		t.Errorf("after deletion: %v, want gone", err)
	}
	if _, err := r.Admin(7, 0); rating.KindOf(err) != rating.NotFound {
		t.Errorf("issuing after deletion: %v, want not found", err)
	}
}

func TestAnImpersonatedTokenEndsWithTheImpersonator(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Kazoo(KazooIdentity{AccountID: "a1", OwnerID: "b2", As: "b2",
		OriginalAccountID: "master", OriginalOwnerID: "boss"}, 0))
	if c := must[*Claims](t)(r.Verify(token.Text, Kazoo)); c.Kazoo.OriginalOwnerID != "boss" || c.Principal.UUID != "b2" {
		t.Errorf("claims = %+v, want b2 on behalf of boss", c.Kazoo)
	}
	r.gone[Principal{Surface: Kazoo, Kind: KindKazooUser, UUID: "boss", AccountUUID: "master"}] = true
	r.Forget()
	if _, err := r.Verify(token.Text, Kazoo); rule(err) != "gone" {
		t.Errorf("after the impersonator's deletion: %v, want gone", err)
	}
}

func TestABrokenStoreIsNotAWrongToken(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Admin(7, 0))
	r.broken = errors.New("disk on fire")
	if _, err := r.Verify(token.Text, Admin); !errors.Is(err, r.broken) {
		t.Errorf("Verify = %v, want %v", err, r.broken)
	}
}

func FuzzVerify(f *testing.F) {
	r := newRig(f)
	real := must[Token](f)(r.Admin(7, time.Hour)).Text
	pair := must[Pair](f)(r.PortSIP(Principal{Kind: KindOperator, ID: 1}, 0))
	kazoo := must[Token](f)(r.Kazoo(KazooIdentity{AccountID: "a1"}, 0)).Text
	mine := map[string]bool{real: true, pair.Access.Text: true, kazoo: true}
	for token := range mine {
		f.Add(token)
	}
	f.Add(pair.Refresh.Text)
	f.Add(forge(`{"alg":"none"}`, `{"sub":7,"aud":["admin"],"exp":4000000000}`, sha256.New, nil))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := r.Verify(token, Surfaces()...); err == nil && !mine[token] {
			t.Errorf("Verify(%q) accepted a token that was never issued", token)
		} else if err != nil && rating.KindOf(err) != rating.Unauthenticated {
			t.Errorf("Verify(%q) = %v, want Unauthenticated", token, err)
		}
	})
}
