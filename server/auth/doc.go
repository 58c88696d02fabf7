// Package auth says who is asking: it issues and verifies bearer tokens, keeps the secrets that
// sign them, hashes passwords, and slows down whoever guesses.
//
// It imports rating (for error kinds), golang-jwt and argon2, and nothing of the store or of fiber:
// what it must know about a principal it asks through Epochs, and what it must remember about a
// revoked token it hands to a callback. It is the only package that imports golang-jwt.
//
// # Surfaces
//
// A token opens one surface: admin and customer-v1 (Yeti), kazoo, portsip, native. Each surface has
// secrets of its own and an audience or issuer that is checked, so a token of one is noise to the
// others. The method is HS256 and nothing else, and exp is always there. No token of ours carries
// nbf or iat, and there is no leeway on exp.
//
// # How a changed password ends older tokens
//
// A Yeti token is sub, aud and exp; it does not say when it was issued, so a rule about age cannot
// be checked on it. Instead the key that signs a token is derived from the surface's secret and
// from whom the token speaks for:
//
//	key = HMAC-SHA-256(secret, surface, kind, number, uuid, epoch)
//
// The epoch is a number in the principal's row that changes with its password (Epoch makes one of
// the row's tokens-valid-from time). A token issued before then was signed with another key, and no
// longer verifies; one issued the same second afterwards does. Somebody who is gone has no epoch,
// so no key. After such a change call Tokens.Forget, because verified tokens are remembered for up
// to a minute.
//
// # Example
//
//	secrets, err := auth.OpenSecrets(dir)
//	…
//	tokens, err := auth.NewTokens(auth.Config{Secrets: secrets, Epochs: epochOfRow, Revocations: revoked})
//	…
//	t, err := tokens.Admin(operator.ID, 0)                       // POST /api/rest/admin/auth
//	c, err := tokens.Verify(auth.YetiAdmin(query, header), auth.Admin) // every other request
//
// # Logins
//
//	if wait := throttle.Wait(login, address); wait > 0 { … 429 … }
//	ok, err := passwords.Verify(ctx, row.PasswordHash, given) // with "" when there is no such row
//	if !ok { throttle.Failed(login, address); … 401 … }
//	throttle.Succeeded(login)
package auth
