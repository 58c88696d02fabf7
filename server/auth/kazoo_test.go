package auth

import (
	"context"
	"strings"
	"testing"
)

func TestKazooLogins(t *testing.T) {
	ctx, p := context.Background(), NewPasswords(FastParams())
	s := must[*Secrets](t)(OpenSecrets(t.TempDir()))
	l := must[KazooLogin](t)(s.KazooLogin(ctx, p, 5, UserPassword{"admin", "secret99"}))
	const md5Hash = "12ae32718e4fe0969e02db469508493f"         // printf admin:secret99 | md5sum
	const shaHash = "564a81d31f199a4c7c6567ab974955db2800fd97" // printf admin:secret99 | sha1sum
	gotMD5, gotSHA := UserPassword{"admin", "secret99"}.hashes()
	for _, tt := range []struct {
		name, method, hash string
		login              KazooLogin
		want               bool
	}{
		{"md5", KazooMD5, gotMD5, l, true},
		{"sha", KazooSHA, gotSHA, l, true},
		{"md5 sent as sha", KazooSHA, gotMD5, l, false},
		{"an unknown method", "sha256", gotMD5, l, false},
		{"upper case", KazooMD5, strings.ToUpper(gotMD5), l, false},
		{"no row", KazooMD5, gotMD5, KazooLogin{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := tt.login.Verify(ctx, p, tt.method, tt.hash); got != tt.want || err != nil {
				t.Errorf("Verify = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if gotMD5 != md5Hash || gotSHA != shaHash {
		t.Errorf("hashes = %s, %s, want %s, %s", gotMD5, gotSHA, md5Hash, shaHash)
	}
	if l.MD5Key != s.KazooKey(5, KazooMD5, gotMD5) || l.SHAKey != s.KazooKey(5, KazooSHA, gotSHA) {
		t.Error("the row's keys differ from those of a login, want them equal")
	}
	other := must[*Secrets](t)(OpenSecrets(t.TempDir()))
	for _, key := range []KazooKey{s.KazooKey(6, KazooMD5, gotMD5), s.KazooKey(5, KazooSHA, gotMD5), other.KazooKey(5, KazooMD5, gotMD5)} {
		if key == l.MD5Key {
			t.Error("another account, method or server has the same key, want another")
		}
	}
	if err := s.Rotate(Kazoo); err != nil || l.MD5Key != s.KazooKey(5, KazooMD5, gotMD5) {
		t.Errorf("after a rotation (%v) the key differs, want it kept", err)
	}
}
