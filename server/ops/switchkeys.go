package ops

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// SwitchArgs name a switch and say what is set in it.
type SwitchArgs struct {
	Name     string    `json:"name,omitempty"`
	Networks *[]string `json:"networks,omitempty"` // from where its key may be shown; nil is as it is, empty anywhere
	Seconds  int64     `json:"seconds,omitempty"`  // life of a new key; 0 is as long as keys can live
	JSON     bool      `json:"json,omitempty"`
}

// KeyEndsSoon is how long before its end a key is told of.
const KeyEndsSoon = 30 * 24 * time.Hour

// ShownSwitch is a switch, without its key.
type ShownSwitch struct {
	Name      string    `json:"name"`
	Networks  []string  `json:"networks"` // none: anywhere
	CreatedAt time.Time `json:"created_at"`
	KeyMade   time.Time `json:"key_made_at"`
	KeyEnds   time.Time `json:"key_expires_at"`
	Requests  uint64    `json:"requests"`         // taken since the server started
	LastAt    time.Time `json:"last_at,omitzero"` // of those
	Refused   uint64    `json:"refused"`          // from elsewhere, or for what only an operator may do
	RefusedAt time.Time `json:"refused_at,omitzero"`
}

// SwitchKey is a key as it is shown once.
type SwitchKey struct {
	Name      string    `json:"name"`
	Key       string    `json:"key"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ListSwitches returns every switch in order of the names.
func ListSwitches(ctx context.Context, env *Env) ([]*ShownSwitch, error) {
	list := []*ShownSwitch{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Switches.Each(0, func(s *storage.Switch) (bool, error) {
			h := env.Senders.OfSwitch(s.ID)
			list = append(list, &ShownSwitch{Name: s.Name, Networks: append([]string{}, s.Networks...), CreatedAt: s.CreatedAt,
				KeyMade: s.TokensAfter, KeyEnds: s.ExpiresAt, Requests: h.Packets, LastAt: h.LastAt, Refused: h.Refused, RefusedAt: h.RefusedAt})
			return true, nil
		})
	})
	slices.SortFunc(list, func(a, b *ShownSwitch) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func listSwitches(ctx context.Context, env *Env, args SwitchArgs, o *IO) (int, error) {
	list, err := ListSwitches(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	now := env.DB.Now()
	err = Print(o.Out, args.JSON, map[string]any{"switches": list}, func(w io.Writer) error {
		t := NewTable(w, "name", "from", "key until", "requests", "last", "refused")
		for _, s := range list {
			t.Row(s.Name, where(s.Networks), s.KeyEnds.Format(time.DateOnly), s.Requests, lastOf(s.LastAt), s.Refused)
		}
		return t.Close()
	})
	for _, s := range list {
		if left := s.KeyEnds.Sub(now); left < KeyEndsSoon {
			fmt.Fprintf(o.Err, "the key of %s ends on %s: billd switch renew %s makes another\n", s.Name, s.KeyEnds.Format(time.DateTime), s.Name)
		}
	}
	return ExitOK, err
}

// GiveKey makes a key: of a new switch, or another one of a switch that is there, whose key before it ends at
// once. Fails with Conflict if a new one's name is taken, with NotFound if there is none of that name, and with
// Invalid if something cannot be.
func GiveKey(ctx context.Context, env *Env, args SwitchArgs, made bool) (*SwitchKey, error) {
	access, err := env.access(ctx)
	if err != nil {
		return nil, err
	}
	life := time.Duration(args.Seconds) * time.Second
	switch {
	case args.Seconds == 0:
		life = auth.MaxTTL
	case args.Seconds < 0 || args.Seconds > int64(auth.MaxTTL/time.Second):
		return nil, rating.Broken("ttl_seconds", "range", "", "a key lives 1 to %d seconds", int64(auth.MaxTTL/time.Second))
	}
	var s *storage.Switch
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		if s = (&storage.Switch{Name: args.Name}); !made {
			if s, err = tx.SwitchNamed(args.Name); err != nil {
				return err
			}
		}
		if args.Networks != nil {
			s.Networks = *args.Networks
		}
		// A key is signed for the moment that it is made at: a second one of the same millisecond would be the same.
		at := tx.Now().Truncate(time.Millisecond)
		if !at.After(s.TokensAfter) {
			at = s.TokensAfter.Add(time.Millisecond)
		}
		s.TokensAfter, s.ExpiresAt = at, tx.Now().Add(life).Truncate(time.Second)
		return tx.SaveSwitch(s)
	})
	if err != nil {
		return nil, err
	}
	access.Tokens.Forget()
	token, err := access.Tokens.Native(auth.Principal{Kind: auth.KindSwitch, ID: s.ID}, life)
	return &SwitchKey{s.Name, token.Text, token.ExpiresAt}, err
}

func addSwitch(ctx context.Context, env *Env, args SwitchArgs, o *IO) (int, error) {
	return printKey(ctx, env, args, o, true)
}

func renewSwitch(ctx context.Context, env *Env, args SwitchArgs, o *IO) (int, error) {
	return printKey(ctx, env, args, o, false)
}

func printKey(ctx context.Context, env *Env, args SwitchArgs, o *IO, made bool) (int, error) {
	key, err := GiveKey(ctx, env, args, made)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, key, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, key.Key)
		return err
	})
}

// setSwitch says from where a switch's key may be shown.
func setSwitch(ctx context.Context, env *Env, args SwitchArgs, o *IO) (int, error) {
	var s *storage.Switch
	err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if s, err = tx.SwitchNamed(args.Name); err != nil {
			return err
		}
		if args.Networks != nil {
			s.Networks = *args.Networks
		}
		return tx.SaveSwitch(s)
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, map[string]any{"name": s.Name, "networks": append([]string{}, s.Networks...)}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "switch %s may show its key from %s\n", s.Name, where(s.Networks))
		return err
	})
}

// DeleteSwitch removes a switch: its key opens nothing from then on. What it delivered stays.
func DeleteSwitch(ctx context.Context, env *Env, name string) error {
	err := env.DB.Update(ctx, func(tx *storage.Tx) error {
		s, err := tx.SwitchNamed(name)
		if err != nil {
			return err
		}
		return tx.Switches.Delete(s.ID)
	})
	if err == nil && env.Access != nil {
		env.Access.Tokens.Forget()
	}
	return err
}

func deleteSwitch(ctx context.Context, env *Env, args SwitchArgs, o *IO) (int, error) {
	if err := DeleteSwitch(ctx, env, args.Name); err != nil {
		return ExitFailed, err
	}
	return ExitOK, o.deleted(args.JSON, "switch", args.Name)
}
