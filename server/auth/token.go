package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"billd/rating"
)

// Lifetimes. A lifetime of 0 asks for the surface's default.
const (
	adminTTL   = 10 * time.Minute          // Yeti's default; its customer tokens take the same
	sessionTTL = time.Hour                 // Kazoo's default, and the longer of PortSIP's two samples
	RefreshTTL = 14 * 24 * time.Hour       // of a PortSIP refresh token, and so of a sign-in left alone
	MaxTTL     = 10 * 366 * 24 * time.Hour // a switch's token may live long, but exp is always set
)

const sessionBytes = 16 // a session's name must not be guessed, nor come twice

// DefaultTTL returns the lifetime of a token of surface when nobody asked for another.
func DefaultTTL(surface Surface) time.Duration {
	if surface == Admin || surface == Customer {
		return adminTTL
	}
	return sessionTTL
}

// Epochs returns the token epoch of p: a number kept with p's row that changes whenever the tokens
// issued so far must end. It is asked at every issue and at every verification that is not
// remembered, before the signature is checked, outside any transaction of the caller.
//
// A principal who does not exist, or is closed, is an error of kind NotFound: the token is refused.
// Any other error is handed to whoever asked for the verification.
type Epochs func(p Principal) (uint64, error)

// Epoch makes an epoch of the moment from which on a principal's tokens count, to the millisecond.
func Epoch(validFrom time.Time) uint64 {
	if validFrom.IsZero() {
		return 0
	}
	return uint64(validFrom.UnixMilli())
}

// Config is what Tokens needs. Now defaults to time.Now; the rest is required.
type Config struct {
	Secrets     *Secrets
	Epochs      Epochs
	Revocations Revocations
	Now         func() time.Time
}

// Tokens issues and verifies the bearer tokens of all surfaces. It may be used by many goroutines.
type Tokens struct {
	secrets *Secrets
	epochs  Epochs
	revoked Revocations
	now     func() time.Time
	parsers map[Surface]*jwt.Parser // a PortSIP refresh token's is under refreshAud
	cache   *cache
}

// NewTokens returns the Tokens of c. Fails if c lacks a part.
func NewTokens(c Config) (*Tokens, error) {
	if c.Secrets == nil || c.Epochs == nil || c.Revocations == nil {
		return nil, errors.New("auth: tokens want secrets, epochs and revocations")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &Tokens{secrets: c.Secrets, epochs: c.Epochs, revoked: c.Revocations, now: c.Now,
		parsers: map[Surface]*jwt.Parser{}, cache: newCache()}
	t.parsers[Kazoo] = t.parser(jwt.WithIssuer(kazooIssuer))
	for _, aud := range []Surface{Admin, Customer, PortSIP, Native, refreshAud} {
		t.parsers[aud] = t.parser(jwt.WithAudience(string(aud)))
	}
	return t, nil
}

// parser returns a parser that takes HS256 only, wants exp, and pins what pin says.
func (t *Tokens) parser(pin jwt.ParserOption) *jwt.Parser {
	return jwt.NewParser(pin,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(t.now))
}

// Token is a bearer token and the moment it stops working, to the second.
type Token struct {
	Text      string
	ExpiresAt time.Time
}

// Pair is what a PortSIP sign-in answers with. Each token opens only what it is for.
type Pair struct {
	Access, Refresh Token
}

// Admin issues a Yeti admin token for an operator.
func (t *Tokens) Admin(operator uint64, ttl time.Duration) (Token, error) {
	exp, err := t.expiry(Admin, ttl)
	if err != nil {
		return Token{}, err
	}
	return t.sign(Admin, adminWire{Sub: operator, Aud: []string{string(Admin)}, Exp: exp.Unix()}, exp)
}

// Customer issues a Yeti customer token for an api-access row.
func (t *Tokens) Customer(apiAccess uint64, ttl time.Duration) (Token, error) {
	exp, err := t.expiry(Customer, ttl)
	if err != nil {
		return Token{}, err
	}
	return t.sign(Customer, customerWire{Aud: []string{string(Customer)}, Sub: apiAccess, Exp: exp.Unix()}, exp)
}

// DynamicCustomer issues a Yeti customer token that carries its own access rules; it ends with the
// customer. Nil lists are written as empty ones.
func (t *Tokens) DynamicCustomer(d Dynamic, ttl time.Duration) (Token, error) {
	exp, err := t.expiry(Customer, ttl)
	if err != nil {
		return Token{}, err
	}
	d.AccountIDs = append([]uint64{}, d.AccountIDs...)
	d.AllowOutgoingNumberlistsIDs = append([]uint64{}, d.AllowOutgoingNumberlistsIDs...)
	d.AllowedIPs = append([]string{}, d.AllowedIPs...)
	return t.sign(Customer, customerWire{Aud: []string{string(Customer)}, Sub: dynamicSub, Exp: exp.Unix(), Cfg: &d}, exp)
}

// Kazoo issues a Kazoo token. No two are alike, so revoking one leaves the others.
// Fails if k names no account.
func (t *Tokens) Kazoo(k KazooIdentity, ttl time.Duration) (Token, error) {
	exp, err := t.expiry(Kazoo, ttl)
	if err != nil {
		return Token{}, err
	}
	return t.sign(Kazoo, kazooWire{
		Iss: kazooIssuer, AccountID: k.AccountID, OwnerID: k.OwnerID, Method: k.Method, Exp: exp.Unix(),
		// Kazoo's own is a signature with the user's secret. Here the whole token is signed with a
		// key derived per user; what is left to this claim is to differ from token to token.
		IdentitySig: randomText(sha256.Size),
		As:          k.As, OriginalAccountID: k.OriginalAccountID, OriginalOwnerID: k.OriginalOwnerID,
	}, exp)
}

// PortSIP issues the two tokens of a sign-in. p says kind (KindOperator or KindPortSIPUser), number
// and account; ttl is the access token's lifetime, the refresh token lives RefreshTTL longer.
// Fails if p has no kind.
func (t *Tokens) PortSIP(p Principal, ttl time.Duration) (Pair, error) {
	exp, err := t.expiry(PortSIP, ttl)
	if err != nil {
		return Pair{}, err
	}
	ends := exp.Add(RefreshTTL)
	w := sessionWire{Aud: []string{string(PortSIP)}, Sub: p.ID, Kind: p.Kind, Account: p.AccountID,
		Exp: exp.Unix(), Session: randomText(sessionBytes), SessionEnds: ends.Unix()}
	access, err := t.sign(PortSIP, w, exp)
	if err != nil {
		return Pair{}, err
	}
	w.Aud, w.Exp = []string{refreshAud}, ends.Unix()
	refresh, err := t.sign(PortSIP, w, ends)
	return Pair{Access: access, Refresh: refresh}, err
}

// Native issues a token for the native API; p says kind, number and account (0: the operator's view).
// Fails if p has no kind.
func (t *Tokens) Native(p Principal, ttl time.Duration) (Token, error) {
	exp, err := t.expiry(Native, ttl)
	if err != nil {
		return Token{}, err
	}
	return t.sign(Native, sessionWire{Aud: []string{string(Native)}, Sub: p.ID, Kind: p.Kind, Account: p.AccountID,
		Exp: exp.Unix(), Session: randomText(sessionBytes), SessionEnds: exp.Unix()}, exp)
}

// expiry returns the whole second at which a token issued now stops working.
func (t *Tokens) expiry(surface Surface, ttl time.Duration) (time.Time, error) {
	if ttl == 0 {
		ttl = DefaultTTL(surface)
	}
	if ttl < time.Second || ttl > MaxTTL {
		return time.Time{}, rating.Broken("ttl", "range", MaxTTL.String(), "ttl: got %s, want 1s to %s", ttl, MaxTTL)
	}
	return t.now().Add(ttl).Truncate(time.Second).UTC(), nil
}

// sign signs claims with surface's newest secret, derived for whom a reader will find in them.
func (t *Tokens) sign(surface Surface, claims any, exp time.Time) (Token, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return Token{}, err
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		return Token{}, err
	}
	c, ok := w.claims(surface)
	if !ok {
		return Token{}, rating.Errorf(rating.Invalid, "token", "token for %s: its principal is incomplete", surface)
	}
	who, err := t.identity(c)
	if err != nil {
		return Token{}, err
	}
	newest := t.secrets.ring.Load().Surfaces[surface][0]
	header := `{"alg":"HS256"}` // Yeti's, to the byte
	if surface == Kazoo {
		header = `{"alg":"HS256","typ":"JWT","kid":"` + strconv.FormatUint(newest.Generation, 10) + `"}`
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sig, err := jwt.SigningMethodHS256.Sign(text, derive(newest.Secret, who))
	if err != nil {
		return Token{}, err
	}
	return Token{Text: text + "." + base64.RawURLEncoding.EncodeToString(sig), ExpiresAt: exp}, nil
}

// identity returns the bytes that name c's subjects and their epochs, which derive mixes into a key.
func (t *Tokens) identity(c *Claims) ([]byte, error) {
	var b []byte
	for _, p := range c.subjects() {
		epoch, err := t.epochs(p)
		if err != nil {
			return nil, err
		}
		// Every text is followed by its length, so that no two subjects spell the same bytes.
		for _, s := range []string{string(p.Surface), string(p.Kind), p.UUID, p.AccountUUID} {
			b = append(b, s...)
			b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		}
		b = binary.BigEndian.AppendUint64(b, p.ID)
		b = binary.BigEndian.AppendUint64(b, epoch)
	}
	return b, nil
}

// derive returns the key that signs tokens of who under secret.
func derive(secret, who []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write(who)
	return m.Sum(nil)
}
