package ops

import (
	"context"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// Access is what signs, verifies and hashes: one for the server and its commands together, so that a
// changed password ends tokens at once.
type Access struct {
	Secrets   *auth.Secrets
	Tokens    *auth.Tokens
	Passwords *auth.Passwords
	Throttle  *auth.Throttle
	Setup     *auth.Setup
}

// OpenAccess reads DIR/secrets, making it where there is none, and the store's revoked tokens. Hold
// the store: it keeps other processes from making secrets too.
func OpenAccess(ctx context.Context, dir string, db *storage.DB) (*Access, error) {
	secrets, err := auth.OpenSecrets(dir)
	if err != nil {
		return nil, err
	}
	revoked := auth.NewMemoryRevocations(db.Now, func(hash [32]byte, until time.Time) error {
		return db.Update(ctx, func(tx *storage.Tx) error { return tx.Revoke(hash, until) })
	})
	err = db.View(ctx, func(tx *storage.Tx) error {
		tx.EachRevoked(revoked.Load)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewTokens(auth.Config{Secrets: secrets, Epochs: epochs(ctx, db), Revocations: revoked, Now: db.Now})
	if err != nil {
		return nil, err
	}
	return &Access{Secrets: secrets, Tokens: tokens, Passwords: auth.NewPasswords(auth.StandardParams()),
		Throttle: auth.NewThrottle(db.Now), Setup: &auth.Setup{Now: db.Now}}, nil
}

// epochs says since when a principal's tokens hold: a row that is gone has none.
func epochs(ctx context.Context, db *storage.DB) auth.Epochs {
	return func(p auth.Principal) (epoch uint64, err error) {
		err = db.View(ctx, func(tx *storage.Tx) error {
			since, err := tokensAfter(tx, p)
			epoch = auth.Epoch(since)
			return err
		})
		return epoch, err
	}
}

func tokensAfter(tx *storage.Tx, p auth.Principal) (time.Time, error) {
	switch p.Kind {
	case auth.KindOperator:
		o, err := tx.Operators.Get(p.ID)
		if err != nil {
			return time.Time{}, err
		}
		return o.TokensAfter, nil
	case auth.KindAPIAccess:
		a, err := tx.Accesses.Get(p.ID)
		if err != nil {
			return time.Time{}, err
		}
		return a.TokensAfter, nil
	case auth.KindCustomer:
		_, err := tx.Contractors.Get(p.ID)
		return time.Time{}, err
	case auth.KindPortSIPUser:
		u, err := tx.Users.Get(p.ID)
		if err != nil {
			return time.Time{}, err
		}
		return u.TokensAfter, nil
	case auth.KindKazooUser:
		return kazooUserTokensAfter(tx, p)
	case auth.KindAPIKey:
		return time.Time{}, openAccount(tx, p.UUID)
	case auth.KindSwitch:
		s, err := tx.Switches.Get(p.ID)
		if err != nil {
			return time.Time{}, err
		}
		return s.TokensAfter, nil
	case auth.KindNative:
		return nativeTokensAfter(tx, p)
	}
	return time.Time{}, rating.Errorf(rating.NotFound, "token", "nobody signs in as %s", p.Kind)
}

func kazooUserTokensAfter(tx *storage.Tx, p auth.Principal) (time.Time, error) {
	if err := openAccount(tx, p.AccountUUID); err != nil {
		return time.Time{}, err
	}
	id, err := rating.ParseUUID(p.UUID)
	if err != nil {
		return time.Time{}, err
	}
	u, err := tx.UserByUUID(id)
	if err != nil {
		return time.Time{}, err
	}
	return u.TokensAfter, nil
}

// nativeTokensAfter takes a native token for a switch's own, bound to an account; account 0 is the
// operator's.
func nativeTokensAfter(tx *storage.Tx, p auth.Principal) (time.Time, error) {
	if p.ID == 0 {
		return time.Time{}, nil
	}
	o, err := tx.Operators.Get(p.ID)
	if err != nil {
		return time.Time{}, err
	}
	return o.TokensAfter, nil
}

func openAccount(tx *storage.Tx, uuid string) error {
	id, err := rating.ParseUUID(uuid)
	if err != nil {
		return err
	}
	_, err = tx.AccountByUUID(id)
	return err
}
