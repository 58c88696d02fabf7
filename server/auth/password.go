package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"billd/rating"
)

// Bounds of a password, in characters.
const (
	MinPassword = 8
	MaxPassword = 1024
)

const (
	saltBytes   = 16
	hashBytes   = 32
	concurrent  = 2  // hashes at a time: 64 MiB each, and a small server has two cores
	maxWaiting  = 64 // logins in line before the next is turned away
	maxHashTime = 16
	maxHashKiB  = 1 << 20 // 1 GiB: what a stored hash may make the server allocate
	maxPHC      = 512     // characters of a stored hash
)

// Params is the cost of one argon2id hash. It is written into the hash, so it can be raised later.
type Params struct {
	Time      uint32
	MemoryKiB uint32
	Threads   uint8
}

// StandardParams returns the cost of a stored password: twice over 64 MiB, some 0.1 s of one core.
func StandardParams() Params { return Params{Time: 2, MemoryKiB: 64 << 10, Threads: 1} }

// FastParams returns a cost that protects nothing, for tests that log in a lot.
func FastParams() Params { return Params{Time: 1, MemoryKiB: 8, Threads: 1} }

// Passwords hashes and verifies, two at a time; the rest wait in line.
// It may be used by many goroutines.
type Passwords struct {
	params  Params
	slots   chan struct{}
	waiting atomic.Int32
	decoy   string
}

// NewPasswords returns Passwords that hash at the cost of params.
func NewPasswords(params Params) *Passwords {
	p := &Passwords{params: params, slots: make(chan struct{}, concurrent)}
	p.decoy = phc(params, make([]byte, saltBytes), make([]byte, hashBytes))
	return p
}

// CheckPassword says whether a new password may be used.
// Fails with Invalid, field password and the rule minimum, maximum or format.
func CheckPassword(password string) error {
	if !utf8.ValidString(password) {
		return rating.Broken("password", "format", "", "password: not valid UTF-8")
	}
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return rating.Broken("password", "minimum", fmt.Sprint(MinPassword), "password: got %d characters, want at least %d", n, MinPassword)
	case n > MaxPassword:
		return rating.Broken("password", "maximum", fmt.Sprint(MaxPassword), "password: got %d characters, want at most %d", n, MaxPassword)
	}
	return nil
}

// Hash returns the PHC string of password: $argon2id$v=19$m=…,t=…,p=…$salt$hash. It does not ask
// CheckPassword, because Kazoo's login hashes pass through here too.
// Fails with Limit when the line is full, or with ctx's error when it ends first.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := randomBytes(saltBytes)
	sum, err := p.run(ctx, password, salt, p.params)
	if err != nil {
		return "", err
	}
	return phc(p.params, salt, sum), nil
}

// Verify reports whether password is the one that encoded was made of. With an encoded of "" it
// takes as long and says no: so an unknown login cannot be told from a wrong password by the clock.
// Fails like Hash, and with Internal when encoded is not a hash of ours.
func (p *Passwords) Verify(ctx context.Context, encoded, password string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = p.decoy
	}
	params, salt, want, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	if len(password) > MaxPassword*utf8.UTFMax {
		return false, nil
	}
	got, err := p.run(ctx, password, salt, params)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// NeedsRehash reports whether encoded was made at another cost than new hashes are, or cannot be
// read; the moment to replace it is after a login that succeeded.
func (p *Passwords) NeedsRehash(encoded string) bool {
	params, _, sum, err := parsePHC(encoded)
	return err != nil || params != p.params || len(sum) != hashBytes
}

// run computes one hash once a slot is free.
func (p *Passwords) run(ctx context.Context, password string, salt []byte, params Params) ([]byte, error) {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxWaiting+concurrent {
		return nil, rating.Errorf(rating.Limit, "password", "too many logins at once, try again")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, params.Time, params.MemoryKiB, params.Threads, hashBytes), nil
}

// phc writes a hash in the PHC string format.
func phc(params Params, salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, params.MemoryKiB, params.Time, params.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// parsePHC reads what phc writes, and nothing else.
func parsePHC(encoded string) (params Params, salt, sum []byte, err error) {
	bad := rating.Errorf(rating.Internal, "password", "stored password hash: not argon2id in PHC form")
	part := strings.Split(encoded, "$")
	if len(encoded) > maxPHC || len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return params, nil, nil, bad
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &params.MemoryKiB, &params.Time, &params.Threads); err != nil {
		return params, nil, nil, bad
	}
	if params.Threads == 0 || params.Time == 0 || params.Time > maxHashTime || params.MemoryKiB > maxHashKiB {
		return params, nil, nil, bad
	}
	if salt, err = base64.RawStdEncoding.Strict().DecodeString(part[4]); err != nil || len(salt) < 8 {
		return params, nil, nil, bad
	}
	if sum, err = base64.RawStdEncoding.Strict().DecodeString(part[5]); err != nil || len(sum) != hashBytes {
		return params, nil, nil, bad
	}
	// Read back: Sscanf lets trailing text and odd spellings through.
	if phc(params, salt, sum) != encoded {
		return params, nil, nil, bad
	}
	return params, salt, sum, nil
}
