package storage

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// NAS is a machine, or a network of them, that may speak RADIUS to billd: a gateway, a SIP proxy, a
// broadband concentrator, or a RADIUS server that passes on what those say.
type NAS struct {
	ID      uint64 `json:"id"`
	Name    string `json:"name"`
	Network string `json:"network"` // the packets' sender, as a prefix
	Secret  string `json:"secret"`

	// Unsigned takes an Access-Request without Message-Authenticator, which anybody on the way can forge.
	Unsigned bool `json:"unsigned,omitempty"`
	// Password is what every Access-Request must give, "" for none: gateways send one for all their calls.
	Password string `json:"password,omitempty"`
	// Swapped says that the NAS counts what subscribers send as output.
	Swapped bool `json:"swapped,omitempty"`
	// Wraps says that the NAS sends no gigawords: a smaller total is a counter that passed 2³².
	Wraps bool `json:"wraps,omitempty"`

	Source  string `json:"source,omitempty"`  // of its calls: the profile of that name, "" is Name
	Account string `json:"account,omitempty"` // who pays all its calls, "" to go by what they say
	Rules   bool   `json:"rules,omitempty"`   // nobody pays by name: customers-auths tell
	Leg     string `json:"leg,omitempty"`     // of a gateway's calls: originate, answer or both
	Zone    string `json:"zone,omitempty"`    // of stamps that name none

	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`
}

// CallSource returns what the calls of n come from.
func (n *NAS) CallSource() string {
	if n.Source != "" {
		return n.Source
	}
	return n.Name
}

type nasTables struct{ nas kv.Table[NAS] }

// NASRows is the table of who speaks RADIUS.
type NASRows struct{ NAS Rows[NAS] }

func newNASTables() nasTables {
	n := jsonTable("nas", bNAS, func(v *NAS) *uint64 { return &v.ID })
	n.Unique = []kv.Unique[NAS]{
		{Bucket: bNASName, Field: "name", Key: func(v *NAS) []byte { return textKey(v.Name) }},
		{Bucket: bNASNetwork, Field: "network", Key: func(v *NAS) []byte { return textKey(v.Network) }},
	}
	return nasTables{n}
}

func bindNAS(tx *Tx) NASRows { return NASRows{bind(tx, &schema.nas)} }

// Limits of a NAS.
const (
	maxNASName   = 64 // characters: it is the source of calls
	minNASSecret = 6
	maxNASSecret = 128
)

// NASNamed returns the NAS of a name. Fails with NotFound if there is none.
func (tx *Tx) NASNamed(name string) (*NAS, error) {
	n, err := tx.NAS.Find(bNASName, textKey(name))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "nas", "NAS %s does not exist", clip(name))
	}
	return n, err
}

// SaveNAS writes n, a new one if it has no number, and sets its times and the spelling of its network.
// Fails with Invalid if something in it cannot be, NotFound if the source that it names does not exist, Conflict
// if name or network is another one's.
func (tx *Tx) SaveNAS(n *NAS) error {
	for _, f := range [...]struct{ field, text string }{{"name", n.Name}, {"source", n.CallSource()}} {
		bad := func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }
		if f.text == "" || len(f.text) > maxNASName || strings.ContainsFunc(f.text, bad) {
			return rating.Broken(f.field, "format", "", "%s %q: want 1 to %d characters, no blank and no slash", f.field, clip(f.text), maxNASName)
		}
	}
	network, ok := ParseNetwork(n.Network)
	if !ok {
		return rating.Broken("network", "format", "", "network %q: want an address such as 192.0.2.1, or a network such as 192.0.2.0/24", clip(n.Network))
	}
	n.Network = network.String()
	if len(n.Secret) < minNASSecret || len(n.Secret) > maxNASSecret {
		return rating.Broken("secret", "length", "", "the secret has %d characters: want %d to %d", len(n.Secret), minNASSecret, maxNASSecret)
	}
	if n.Account != "" && n.Rules {
		return rating.Broken("account", "exclusion", "", "an account and rules cannot both say who pays")
	}
	if n.Zone != "" {
		if _, err := time.LoadLocation(n.Zone); err != nil || n.Zone == "Local" {
			return rating.Broken("zone", "zone", "", "zone %q: want the name of a time zone, such as Europe/Berlin", clip(n.Zone))
		}
	}
	if n.Source != "" {
		if _, err := tx.Sources.Find(bSourceName, textKey(n.Source)); err != nil {
			if rating.KindOf(err) == rating.NotFound {
				return rating.Errorf(rating.NotFound, "source", "source %s does not exist; billd source add makes it", clip(n.Source))
			}
			return err
		}
	}
	n.ChangedAt = tx.now
	if n.ID == 0 {
		n.CreatedAt = tx.now
	}
	return tx.NAS.Put(n)
}

// nas finds those that name sources that are not there.
func (c *checker) nas() {
	c.tx.NAS.EachSound(func(n *NAS) {
		if n.Source != "" && c.tx.Txn.Get(bSourceName, textKey(n.Source)) == nil {
			c.fault("nas %d: refers to source %s, which does not exist", n.ID, clip(n.Source))
		}
	})
}

// radiusState is what is known in memory of who speaks RADIUS.
type radiusState struct {
	nas   atomic.Pointer[nasIndex]
	state atomic.Uint64 // rises when a NAS changes
}

// nasIndex are all of a state of the store, the narrowest network first.
type nasIndex struct {
	state uint64
	list  []nasAt
}

type nasAt struct {
	network netip.Prefix
	nas     *NAS
}

// NASAt finds who a packet's sender is: the NAS with the narrowest network around it, nil for none. It is
// answered from memory. Callers must not change what it returns.
func (db *DB) NASAt(ctx context.Context, from netip.Addr) (*NAS, error) {
	x := db.radius.nas.Load()
	if state := db.radius.state.Load(); x == nil || x.state != state {
		x = &nasIndex{state: state} // before the View: what that sees is at least as new
		err := db.View(ctx, func(tx *Tx) error {
			return tx.NAS.Each(0, func(n *NAS) (bool, error) {
				if p, ok := ParseNetwork(n.Network); ok {
					x.list = append(x.list, nasAt{p, n})
				}
				return true, nil
			})
		})
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(x.list, func(a, b nasAt) int { return b.network.Bits() - a.network.Bits() })
		db.radius.nas.Store(x)
	}
	from = from.Unmap().WithZone("")
	for _, n := range x.list {
		if n.network.Contains(from) {
			return n.nas, nil
		}
	}
	return nil, nil
}

// forgetNAS has NASAt look again when this commits.
func (tx *Tx) forgetNAS() {
	tx.published = append(tx.published, func() { tx.db.radius.state.Add(1) })
}
