package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	secretsFile    = "secrets"
	secretsVersion = 1
	secretBytes    = 32      // HS256 wants a key at least as long as its hash: RFC 7518, 3.2
	keptSecrets    = 2       // the newest signs, the one before it still verifies
	maxSecretsFile = 1 << 16 // a whole file is under 2 kB
)

// Secrets is the file DIR/secrets: per surface the newest secrets, and the key of Kazoo's lookup
// keys. It may be used by many goroutines; a rotation or a reload is seen whole or not at all.
type Secrets struct {
	path string
	mu   sync.Mutex // one writer of the file
	ring atomic.Pointer[keyring]
}

// keyring is one state of the file; it is never changed once published.
type keyring struct {
	Version   int                  `json:"version"`
	ServerKey []byte               `json:"server_key"`
	Surfaces  map[Surface][]secret `json:"surfaces"` // newest first
}

// secret is one generation of a surface's secret.
type secret struct {
	Generation uint64 `json:"generation"`
	Secret     []byte `json:"secret"`
}

// OpenSecrets reads DIR/secrets, making it first when it is not there; a surface that the file does
// not know yet gets a secret. The caller holds the store's lock, so that no two processes make it.
//
// Fails if the file is readable by others, is of a later version, or holds a secret of under 32
// bytes; nothing is ever made up in place of a file that cannot be read.
func OpenSecrets(dir string) (*Secrets, error) {
	s := &Secrets{path: filepath.Join(dir, secretsFile)}
	ring, err := readRing(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		ring, err = &keyring{Version: secretsVersion, ServerKey: randomBytes(secretBytes)}, nil
	}
	if err != nil {
		return nil, err
	}
	if full := ring.complete(); full != ring {
		if err := writeRing(s.path, full); err != nil {
			return nil, err
		}
		ring = full
	}
	s.ring.Store(ring)
	return s, nil
}

// Reload reads the file again, for when somebody replaced it under a running server.
// When it fails the secrets in use stay in use.
func (s *Secrets) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ring, err := readRing(s.path)
	if err != nil {
		return err
	}
	for _, surface := range Surfaces() {
		if len(ring.Surfaces[surface]) == 0 {
			return fmt.Errorf("%s: no secret for surface %s", s.path, surface)
		}
	}
	s.ring.Store(ring)
	return nil
}

// Rotate makes a new secret for surface. Tokens signed with the one before it verify until the
// next rotation; older ones are refused from now on.
func (s *Secrets) Rotate(surface Surface) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.ring.Load()
	held := old.Surfaces[surface]
	if len(held) == 0 {
		return fmt.Errorf("surface %q: unknown, want one of %v", surface, Surfaces())
	}
	fresh := *old
	fresh.Surfaces = maps.Clone(old.Surfaces)
	next := slices.Concat([]secret{newSecret(held[0].Generation + 1)}, held)
	fresh.Surfaces[surface] = next[:min(len(next), keptSecrets)]
	if err := writeRing(s.path, &fresh); err != nil {
		return err
	}
	s.ring.Store(&fresh)
	return nil
}

// complete returns k with a secret for every surface: k itself when nothing is missing.
func (k *keyring) complete() *keyring {
	full := *k
	full.Surfaces = maps.Clone(k.Surfaces)
	if full.Surfaces == nil {
		full.Surfaces = map[Surface][]secret{}
	}
	for _, surface := range Surfaces() {
		if len(full.Surfaces[surface]) == 0 {
			full.Surfaces[surface] = []secret{newSecret(1)}
		}
	}
	if len(full.Surfaces) == len(k.Surfaces) {
		return k
	}
	return &full
}

// check refuses a keyring that must not sign.
func (k *keyring) check() error {
	if k.Version != secretsVersion {
		return fmt.Errorf("version %d, want %d", k.Version, secretsVersion)
	}
	if len(k.ServerKey) < secretBytes {
		return fmt.Errorf("server_key: %d bytes, want at least %d", len(k.ServerKey), secretBytes)
	}
	for _, surface := range slices.Sorted(maps.Keys(k.Surfaces)) {
		held := k.Surfaces[surface]
		if n := len(held); n < 1 || n > keptSecrets {
			return fmt.Errorf("surface %s: %d secrets, want 1 or %d", surface, n, keptSecrets)
		}
		for i, one := range held {
			if len(one.Secret) < secretBytes {
				return fmt.Errorf("surface %s: generation %d: secret of %d bytes, want at least %d",
					surface, one.Generation, len(one.Secret), secretBytes)
			}
			if i > 0 && one.Generation >= held[i-1].Generation {
				return fmt.Errorf("surface %s: generation %d after %d, want the newest first",
					surface, one.Generation, held[i-1].Generation)
			}
		}
	}
	return nil
}

// readRing reads and checks the file.
func readRing(path string) (*keyring, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s: mode %04o, want 0600: others can read the secrets; chmod 600 it, and rotate if they did", path, mode)
	}
	if st.Size() > maxSecretsFile {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", path, st.Size(), maxSecretsFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var ring keyring
	if err := json.Unmarshal(text, &ring); err != nil {
		return nil, fmt.Errorf("%s: not a secrets file: %w", path, err)
	}
	if err := ring.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &ring, nil
}

// writeRing replaces the file: create, sync, rename, sync the directory.
func writeRing(path string, ring *keyring) (err error) {
	text, err := json.MarshalIndent(ring, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+secretsFile+"-*") // CreateTemp makes it 0600
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(append(text, '\n')); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename in dir survive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // a directory cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// newSecret returns a fresh secret of generation.
func newSecret(generation uint64) secret {
	return secret{Generation: generation, Secret: randomBytes(secretBytes)}
}

// randomBytes returns n unguessable bytes; crypto/rand does not fail, it ends the process.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// randomText returns n unguessable bytes as URL-safe text.
func randomText(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }
