package auth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	first := must[*Secrets](t)(OpenSecrets(dir))
	second := must[*Secrets](t)(OpenSecrets(dir))
	seen := map[string]Surface{}
	for _, surface := range Surfaces() {
		a, b := first.ring.Load().Surfaces[surface], second.ring.Load().Surfaces[surface]
		if len(a) != 1 || len(b) != 1 || string(a[0].Secret) != string(b[0].Secret) || len(a[0].Secret) != 32 {
			t.Errorf("%s: got %d and %d secrets, want the same one of 32 bytes", surface, len(a), len(b))
		}
		if other, taken := seen[string(a[0].Secret)]; taken {
			t.Errorf("%s and %s share a secret, want one each", surface, other)
		}
		seen[string(a[0].Secret)] = surface
	}
	st, err := os.Stat(filepath.Join(dir, "secrets"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want 0600", st.Mode(), err)
	}
	if files := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(files) != 1 {
		t.Errorf("%d files, want secrets alone", len(files))
	}
}

func TestSecretsThatMustNotSignAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(k *keyring)
		want  string
	}{
		{"a short secret", func(k *keyring) { k.Surfaces[Admin][0].Secret = make([]byte, 31) }, "secret of 31 bytes, want at least 32"},
		{"an empty secret", func(k *keyring) { k.Surfaces[Kazoo][0].Secret = nil }, "secret of 0 bytes"},
		{"a short server key", func(k *keyring) { k.ServerKey = k.ServerKey[:16] }, "server_key: 16 bytes"},
		{"an unknown version", func(k *keyring) { k.Version = 2 }, "version 2, want 1"},
		{"three generations", func(k *keyring) {
			k.Surfaces[Admin] = []secret{newSecret(3), newSecret(2), newSecret(1)}
		}, "3 secrets, want 1 or 2"},
		{"the oldest first", func(k *keyring) { k.Surfaces[Admin] = []secret{newSecret(1), newSecret(2)} }, "newest first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := must[*Secrets](t)(OpenSecrets(dir))
			var k keyring
			if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(s.path)), &k); err != nil {
				t.Fatal(err)
			}
			tt.spoil(&k)
			if err := writeRing(s.path, &k); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenSecrets(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("OpenSecrets = %v, want %q", err, tt.want)
			}
			before := s.ring.Load()
			if err := s.Reload(); err == nil || s.ring.Load() != before {
				t.Errorf("Reload = %v, want it refused and the secrets in use kept", err)
			}
		})
	}
}

func TestSecretsFilesThatCannotBeTrustedAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secrets")
	for _, tt := range []struct {
		name, text, want string
		mode             os.FileMode
	}{
		{"readable by others", "{}", "mode 0640, want 0600", 0o640},
		{"empty", "", "not a secrets file", 0o600},
		{"cut short", `{"version":1,`, "not a secrets file", 0o600},
		{"huge", strings.Repeat(" ", maxSecretsFile+1), "want at most", 0o600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			os.Remove(path)
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenSecrets(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("OpenSecrets = %v, want %q", err, tt.want)
			}
			if got := string(must[[]byte](t)(os.ReadFile(path))); got != tt.text {
				t.Error("the file was changed, want it left alone")
			}
		})
	}
}

func TestRotationIsKept(t *testing.T) {
	dir := t.TempDir()
	s := must[*Secrets](t)(OpenSecrets(dir))
	for range 3 {
		if err := s.Rotate(PortSIP); err != nil {
			t.Fatal(err)
		}
	}
	held := must[*Secrets](t)(OpenSecrets(dir)).ring.Load().Surfaces[PortSIP]
	if len(held) != 2 || held[0].Generation != 4 || held[1].Generation != 3 {
		t.Errorf("got %d secrets, want generations 4 and 3", len(held))
	}
	if err := s.Rotate("fax"); err == nil {
		t.Error("Rotate(fax) = nil, want it refused")
	}
}

func TestASurfaceThatTheFileLacksGetsASecret(t *testing.T) {
	dir := t.TempDir()
	s := must[*Secrets](t)(OpenSecrets(dir))
	k := *s.ring.Load()
	k.Surfaces = map[Surface][]secret{Admin: k.Surfaces[Admin], "later": {newSecret(1)}}
	if err := writeRing(s.path, &k); err != nil {
		t.Fatal(err)
	}
	got := must[*Secrets](t)(OpenSecrets(dir)).ring.Load()
	if len(got.Surfaces) != len(Surfaces())+1 || string(got.Surfaces[Admin][0].Secret) != string(k.Surfaces[Admin][0].Secret) {
		t.Errorf("%d surfaces, want the missing ones added and the others kept", len(got.Surfaces))
	}
}
