package auth

import (
	"errors"
	"testing"
	"time"

	"billd/rating"
)

func TestARevokedTokenIsRefusedAtOnce(t *testing.T) {
	r := newRig(t)
	token := must[Token](t)(r.Customer(12, time.Hour))
	r.wait(time.Second)
	other := must[Token](t)(r.Customer(12, time.Hour))
	c := must[*Claims](t)(r.Verify(token.Text, Customer)) // remembered from here on
	if err := r.Revoke(token.Text, c); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(token.Text, Customer); rule(err) != "revoked" {
		t.Errorf("Verify = %v, want revoked", err)
	}
	if _, err := r.Verify(other.Text, Customer); err != nil {
		t.Errorf("another token: %v, want it accepted", err)
	}
	if err := r.RevokeSession(c); err != nil {
		t.Errorf("RevokeSession without a session = %v, want nothing", err)
	}
}

func TestPortSIPRefreshTokensOpenOnlyANewPair(t *testing.T) {
	r := newRig(t)
	who := Principal{Kind: KindOperator, ID: 1, AccountID: 1}
	pair, other := must[Pair](t)(r.PortSIP(who, 0)), must[Pair](t)(r.PortSIP(who, 0))
	if _, err := r.Verify(pair.Refresh.Text, Surfaces()...); rule(err) != "signature" {
		t.Errorf("refresh as access: %v, want it refused", err)
	}
	if _, err := r.VerifyRefresh(pair.Access.Text); rule(err) != "signature" {
		t.Errorf("access as refresh: %v, want it refused", err)
	}
	access := must[*Claims](t)(r.Verify(pair.Access.Text, PortSIP))
	c := must[*Claims](t)(r.VerifyRefresh(pair.Refresh.Text))
	if c.Principal != access.Principal || c.Session != access.Session || !c.SessionEnds.Equal(pair.Refresh.ExpiresAt) {
		t.Errorf("refresh says %+v, want the session of %+v", c, access)
	}
	if err := r.RevokeSession(access); err != nil {
		t.Fatal(err)
	}
	r.wait(30 * time.Minute)
	if _, err := r.Verify(pair.Access.Text, PortSIP); rule(err) != "revoked" {
		t.Errorf("access after sign-out: %v, want revoked", err)
	}
	r.wait(24 * time.Hour)
	if _, err := r.VerifyRefresh(pair.Refresh.Text); rule(err) != "revoked" {
		t.Errorf("refresh after sign-out: %v, want revoked", err)
	}
	if _, err := r.VerifyRefresh(other.Refresh.Text); err != nil {
		t.Errorf("another session's refresh: %v, want it accepted", err)
	}
	if _, err := r.VerifyRefresh(""); rule(err) != "format" {
		t.Errorf("no refresh token: %v, want it refused", err)
	}
	if _, err := r.PortSIP(Principal{ID: 1}, 0); rating.KindOf(err) != rating.Invalid {
		t.Errorf("a pair for nobody's kind: %v, want it refused", err)
	}
}

func TestRevocationsEndWithTheirTokens(t *testing.T) {
	now := start
	kept := map[[32]byte]time.Time{}
	m := NewMemoryRevocations(func() time.Time { return now }, func(h [32]byte, until time.Time) error {
		kept[h] = until
		return nil
	})
	for i := range byte(200) {
		if err := m.Revoke([32]byte{i}, start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if !m.Revoked([32]byte{7}) || m.Revoked([32]byte{201}) || len(kept) != 200 {
		t.Errorf("revoked 7: %v, 201: %v, kept %d, want true, false, 200", m.Revoked([32]byte{7}), m.Revoked([32]byte{201}), len(kept))
	}
	again := NewMemoryRevocations(func() time.Time { return now }, nil)
	for h, until := range kept {
		again.Load(h, until)
	}
	if !again.Revoked([32]byte{7}) {
		t.Error("after a restart 7 is accepted, want it revoked")
	}
	now = now.Add(time.Minute)
	if m.Revoked([32]byte{7}) {
		t.Error("7 is revoked after its token's end, want it forgotten")
	}
	for i := range firstSweep * 2 {
		m.Load([32]byte{1, byte(i), byte(i >> 8)}, now.Add(time.Second))
	}
	if n := len(m.until); n != firstSweep*2 {
		t.Errorf("%d held, want the 200 expired ones dropped", n)
	}
}

func TestARevocationThatCannotBeKeptFails(t *testing.T) {
	full := errors.New("disk full")
	m := NewMemoryRevocations(time.Now, func([32]byte, time.Time) error { return full })
	if err := m.Revoke([32]byte{1}, time.Now().Add(time.Hour)); !errors.Is(err, full) || m.Revoked([32]byte{1}) {
		t.Errorf("Revoke = %v, revoked %v, want %v and not revoked", err, m.Revoked([32]byte{1}), full)
	}
}
