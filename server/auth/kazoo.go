package auth

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// The methods of a Kazoo login: which hash of "username:password" the client sends.
const (
	KazooMD5 = "md5"
	KazooSHA = "sha" // SHA-1
)

// KazooKey is the index key under which a Kazoo login finds its user.
//
// Kazoo's login names no user: it brings a hash of name and password, and an account. The key is
// keyed with a secret that the store does not hold, so that a copy of the store does not give away
// the unsalted hash. Eight bytes may collide; the stored argon2id hash decides.
type KazooKey [8]byte

// KazooKey returns the key of a login hash in account (its number).
// Keys end with the secrets file: without it, Kazoo users need new passwords.
func (s *Secrets) KazooKey(account uint64, method, hash string) KazooKey {
	m := hmac.New(sha256.New, s.ring.Load().ServerKey)
	m.Write(binary.BigEndian.AppendUint64(nil, account))
	m.Write([]byte(method + "\x00" + hash))
	return KazooKey(m.Sum(nil)[:len(KazooKey{})])
}

// KazooLogin is what a Kazoo user's row keeps of a password: for each method the key that finds the
// row and the argon2id hash that verifies it.
type KazooLogin struct {
	MD5Key, SHAKey   KazooKey
	MD5Hash, SHAHash string // PHC strings, for Passwords.Verify with the login hash as password
}

// KazooLogin makes the row's part of a new password; it hashes twice. It does not ask CheckPassword.
// Fails like Passwords.Hash.
func (s *Secrets) KazooLogin(ctx context.Context, p *Passwords, account uint64, user UserPassword) (KazooLogin, error) {
	md5Hash, shaHash := user.hashes()
	l := KazooLogin{MD5Key: s.KazooKey(account, KazooMD5, md5Hash), SHAKey: s.KazooKey(account, KazooSHA, shaHash)}
	var err error
	if l.MD5Hash, err = p.Hash(ctx, md5Hash); err != nil {
		return KazooLogin{}, err
	}
	if l.SHAHash, err = p.Hash(ctx, shaHash); err != nil {
		return KazooLogin{}, err
	}
	return l, nil
}

// UserPassword is a user's name, as clients hash it, and password.
type UserPassword struct {
	Username, Password string
}

// hashes returns the two login hashes, in lower-case hex.
func (u UserPassword) hashes() (md5Hash, shaHash string) {
	text := []byte(u.Username + ":" + u.Password)
	m, s := md5.Sum(text), sha1.Sum(text)
	return hex.EncodeToString(m[:]), hex.EncodeToString(s[:])
}

// Verify reports whether hash is the login hash of method that l was made of. With a zero KazooLogin
// (no row was found) or an unknown method it takes as long and says no. Fails like Passwords.Verify.
func (l KazooLogin) Verify(ctx context.Context, p *Passwords, method, hash string) (bool, error) {
	switch method {
	case KazooMD5:
		return p.Verify(ctx, l.MD5Hash, hash)
	case KazooSHA:
		return p.Verify(ctx, l.SHAHash, hash)
	default:
		return p.Verify(ctx, "", hash)
	}
}
