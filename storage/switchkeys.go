package storage

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Switch is a machine that has a key for the native API: it may deliver records, ask whether a call may
// begin, and end what it reserved. The key itself is not kept; it is signed for this row, and ends with it.
type Switch struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
	// Networks are the addresses and networks that the key may be shown from; none are all.
	Networks []string `json:"networks,omitempty"`
	// TokensAfter is when the key was made; one made earlier is refused.
	TokensAfter time.Time `json:"tokens_after"`
	ExpiresAt   time.Time `json:"expires_at"` // of the key
	CreatedAt   time.Time `json:"created_at"`
}

type switchTables struct{ switches kv.Table[Switch] }

// SwitchRows is the table of who has a switch's key.
type SwitchRows struct{ Switches Rows[Switch] }

func newSwitchTables() switchTables {
	t := jsonTable("switch", bSwitch, func(v *Switch) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[Switch]{{Bucket: bSwitchName, Field: "name", Key: func(v *Switch) []byte { return textKey(v.Name) }}}
	return switchTables{t}
}

func bindSwitches(tx *Tx) SwitchRows { return SwitchRows{bind(tx, &schema.switches)} }

// Limits of a switch.
const (
	maxSwitchName     = 64 // characters
	maxSwitchNetworks = 100
)

// SwitchNamed returns the switch of a name. Fails with NotFound if there is none.
func (tx *Tx) SwitchNamed(name string) (*Switch, error) {
	s, err := tx.Switches.Find(bSwitchName, textKey(name))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "switch", "switch %s does not exist", clip(name))
	}
	return s, err
}

// SaveSwitch writes s, a new one if it has no number. Fails with Invalid if name or networks cannot be,
// Conflict if the name is another one's.
func (tx *Tx) SaveSwitch(s *Switch) error {
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }
	if s.Name == "" || len(s.Name) > maxSwitchName || strings.ContainsFunc(s.Name, bad) {
		return rating.Broken("name", "format", "", "name %q: want 1 to %d characters, no blank and no slash", clip(s.Name), maxSwitchName)
	}
	if len(s.Networks) > maxSwitchNetworks {
		return rating.Broken("networks", "maxItems", "", "%d networks: want at most %d", len(s.Networks), maxSwitchNetworks)
	}
	networks := make([]string, 0, len(s.Networks))
	for _, text := range s.Networks {
		n, ok := ParseNetwork(text)
		if !ok {
			return rating.Broken("networks", "format", "", "network %q: want an address such as 192.0.2.1, or a network such as 192.0.2.0/24", clip(text))
		}
		networks = append(networks, n.String())
	}
	s.Networks = networks
	if s.ID == 0 {
		s.CreatedAt = tx.now
	}
	return tx.Switches.Put(s)
}

// switchState is what is known in memory of who has a key.
type switchState struct {
	known atomic.Pointer[switchIndex]
	state atomic.Uint64 // rises when a switch changes
}

// switchIndex are all of a state of the store.
type switchIndex struct {
	state uint64
	byID  map[uint64]*Switch
}

// SwitchByID returns a switch, from memory. Callers must not change it. Fails with NotFound if there is none.
func (db *DB) SwitchByID(ctx context.Context, id uint64) (*Switch, error) {
	x := db.switches.known.Load()
	if state := db.switches.state.Load(); x == nil || x.state != state {
		x = &switchIndex{state, map[uint64]*Switch{}} // before the View: what that sees is at least as new
		err := db.View(ctx, func(tx *Tx) error {
			return tx.Switches.Each(0, func(s *Switch) (bool, error) {
				x.byID[s.ID] = s
				return true, nil
			})
		})
		if err != nil {
			return nil, err
		}
		db.switches.known.Store(x)
	}
	if s := x.byID[id]; s != nil {
		return s, nil
	}
	return nil, rating.Errorf(rating.NotFound, "switch", "switch %d does not exist", id)
}

// forgetSwitches has SwitchByID look again when this commits.
func (tx *Tx) forgetSwitches() {
	tx.published = append(tx.published, func() { tx.db.switches.state.Add(1) })
}
