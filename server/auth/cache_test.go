package auth

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

func TestAVerifiedTokenIsRememberedForAMinute(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Admin(7, time.Hour))
	r.asked = 0
	for range 3 {
		must[*Claims](t)(r.Verify(token.Text, Admin))
	}
	if r.asked != 1 {
		t.Errorf("asked for the epoch %d times, want once", r.asked)
	}
	r.wait(cacheTTL)
	must[*Claims](t)(r.Verify(token.Text, Admin))
	if r.asked != 2 {
		t.Errorf("asked %d times after a minute, want twice", r.asked)
	}
}

func TestForgetCountsForWhatIsBeingVerified(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Admin(7, time.Hour))
	inner := r.epochs
	r.epochs = func(p Principal) (uint64, error) { // the password changes right after the epoch was read
		epoch, err := inner(p)
		r.epoch[p] = 99
		r.Forget()
		return epoch, err
	}
	must[*Claims](t)(r.Verify(token.Text, Admin))
	if _, err := r.Verify(token.Text, Admin); rule(err) != "signature" {
		t.Errorf("Verify = %v, want it refused: the first was overtaken and must not be remembered", err)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	c, ring := newCache(), &keyring{}
	claims := &Claims{ExpiresAt: start.Add(time.Hour)}
	for i := range 3 * cacheSize {
		c.put(sha256.Sum256(fmt.Append(nil, i)), remembered{claims, ring, start.Add(cacheTTL)}, 0)
	}
	if n := len(c.young) + len(c.old); n > cacheSize {
		t.Errorf("%d entries, want at most %d", n, cacheSize)
	}
	if got := c.find(sha256.Sum256(fmt.Append(nil, 3*cacheSize-1)), start, ring); got != claims {
		t.Errorf("the newest is %v, want it found", got)
	}
}

func BenchmarkVerify(b *testing.B) {
	r := newRig(b)
	token := must[Token](b)(r.Native(Principal{Kind: KindOperator, ID: 7, AccountID: 1}, time.Hour)).Text
	yeti := must[Token](b)(r.Admin(7, time.Hour)).Text
	for _, bb := range []struct {
		name, token string
		before      func()
	}{
		{"remembered native", token, func() {}},
		{"remembered admin", yeti, func() {}},
		{"not remembered", token, r.Forget},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.before()
				if _, err := r.Verify(bb.token, Admin, Native); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
