package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// NASArgs name a NAS and say what is set in it; nil is as it is, or the default of a new one.
type NASArgs struct {
	Name     string  `json:"name,omitempty"`
	Network  *string `json:"network,omitempty"`
	Secret   *string `json:"secret,omitempty"`
	Unsigned *bool   `json:"unsigned,omitempty"`
	Password *string `json:"password,omitempty"`
	Swapped  *bool   `json:"swapped,omitempty"`
	Wraps    *bool   `json:"wraps,omitempty"`
	Source   *string `json:"source,omitempty"`
	Account  *string `json:"account,omitempty"`
	Rules    *bool   `json:"rules,omitempty"`
	Leg      *string `json:"leg,omitempty"`
	Zone     *string `json:"zone,omitempty"`
	JSON     bool    `json:"json,omitempty"`
}

// apply sets in n what args say.
func (args *NASArgs) apply(n *storage.NAS) error {
	if args.Leg != nil {
		leg, err := cdrformat.ParseRadiusLeg(*args.Leg)
		if err != nil {
			return err
		}
		n.Leg = leg.String()
	}
	for _, f := range [...]struct{ to, from *string }{{&n.Network, args.Network}, {&n.Secret, args.Secret}, {&n.Password, args.Password},
		{&n.Source, args.Source}, {&n.Account, args.Account}, {&n.Zone, args.Zone}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, f := range [...]struct{ to, from *bool }{{&n.Unsigned, args.Unsigned}, {&n.Swapped, args.Swapped}, {&n.Wraps, args.Wraps}, {&n.Rules, args.Rules}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	return nil
}

// ShownNAS is a NAS without its secrets.
type ShownNAS struct {
	Name     string `json:"name"`
	Network  string `json:"network"`
	Signed   bool   `json:"require_message_authenticator"` // of an Access-Request
	Password bool   `json:"password_asked"`
	Swapped  bool   `json:"swapped"`
	Wraps    bool   `json:"wraps"`
	Source   string `json:"source"`
	Profile  string `json:"source_profile,omitempty"` // the source whose rules its calls are charged by, if there is one of that name
	Account  string `json:"account,omitempty"`
	Rules    bool   `json:"rules"`
	Leg      string `json:"leg"`
	Zone     string `json:"zone"`
	Heard
}

func (e *Env) showNAS(tx *storage.Tx, n *storage.NAS) (*ShownNAS, error) {
	shown := &ShownNAS{Name: n.Name, Network: n.Network, Signed: !n.Unsigned, Password: n.Password != "", Swapped: n.Swapped, Wraps: n.Wraps, Source: n.CallSource(),
		Account: n.Account, Rules: n.Rules, Leg: cmp.Or(n.Leg, cdrformat.LegOriginate.String()), Zone: cmp.Or(n.Zone, "UTC"), Heard: e.Senders.OfNAS(n.ID)}
	switch s, err := tx.SourceNamed(shown.Source); {
	case err == nil:
		shown.Profile = s.Name
		shown.Zone = cmp.Or(n.Zone, s.Zone, shown.Zone)
	case rating.KindOf(err) != rating.NotFound:
		return nil, err
	}
	return shown, nil
}

// payer says who pays the calls of n.
func (n *ShownNAS) payer() string {
	switch {
	case n.Account != "":
		return "account " + n.Account
	case n.Rules:
		return "rules"
	}
	return "user"
}

// ListedNAS is every NAS, and who else has sent packets since the server started.
type ListedNAS struct {
	NAS       []*ShownNAS `json:"nas"`
	Strangers []Stranger  `json:"unknown_senders"`
}

// ListNAS returns every NAS in order of the names, and the senders that are none.
func ListNAS(ctx context.Context, env *Env) (*ListedNAS, error) {
	list := &ListedNAS{NAS: []*ShownNAS{}, Strangers: []Stranger{}}
	for _, s := range env.Senders.Strangers() {
		if known, err := env.DB.NASAt(ctx, netip.MustParseAddr(s.Address)); err != nil {
			return nil, err
		} else if known == nil { // it may have become one
			list.Strangers = append(list.Strangers, s)
		}
	}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.NAS.Each(0, func(n *storage.NAS) (bool, error) {
			shown, err := env.showNAS(tx, n)
			list.NAS = append(list.NAS, shown)
			return err == nil, err
		})
	})
	slices.SortFunc(list.NAS, func(a, b *ShownNAS) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// SetNAS changes a NAS, or makes one. Fails with Conflict if one of that name, or of that network, is there
// already, with NotFound if the one to be changed is not, or the source that it names, and with Invalid if something in it cannot be.
func SetNAS(ctx context.Context, env *Env, args NASArgs, made bool) (shown *ShownNAS, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		n := &storage.NAS{Name: args.Name}
		if !made {
			if n, err = tx.NASNamed(args.Name); err != nil {
				return err
			}
		}
		if err := args.apply(n); err != nil {
			return err
		}
		if args.Account != nil && *args.Account != "" {
			if _, err := tx.AccountByRef(*args.Account); err != nil {
				return err
			}
		}
		if err := tx.SaveNAS(n); err != nil {
			return err
		}
		shown, err = env.showNAS(tx, n)
		return err
	})
	return shown, err
}

// DeleteNAS removes a NAS: its packets are a stranger's from then on. Its calls stay.
func DeleteNAS(ctx context.Context, env *Env, name string) error {
	return env.DB.Update(ctx, func(tx *storage.Tx) error {
		n, err := tx.NASNamed(name)
		if err != nil {
			return err
		}
		return tx.NAS.Delete(n.ID)
	})
}

// lastOf spells when somebody was heard of last.
func lastOf(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return stampOf(t)
}

func listNAS(ctx context.Context, env *Env, args NASArgs, o *IO) (int, error) {
	list, err := ListNAS(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "name", "network", "source", "payer", "packets", "last", "refused")
		for _, n := range list.NAS {
			t.Row(n.Name, n.Network, n.Source, n.payer(), n.Packets, lastOf(n.LastAt), n.Refused)
		}
		if err := t.Close(); err != nil || len(list.Strangers) == 0 {
			return err
		}
		fmt.Fprintf(w, "\nunknown senders, dropped:\n")
		t = NewTable(w, "address", "socket", "packets", "last")
		for _, s := range list.Strangers {
			t.Row(s.Address, s.Socket, s.Packets, lastOf(s.LastAt))
		}
		return t.Close()
	})
}

func showNAS(ctx context.Context, env *Env, args NASArgs, o *IO) (int, error) {
	var n *ShownNAS
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		found, err := tx.NASNamed(args.Name)
		if err != nil {
			return err
		}
		n, err = env.showNAS(tx, found)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, n.print(o, args.JSON)
}

func (n *ShownNAS) print(o *IO, asJSON bool) error {
	return Print(o.Out, asJSON, n, func(w io.Writer) error {
		t := NewTable(w, "what", "is")
		yes := map[bool]string{false: "no", true: "yes"}
		for _, row := range [...][2]string{
			{"name", n.Name}, {"network", n.Network}, {"source of calls", n.Source}, {"source profile", cmp.Or(n.Profile, "none")}, {"who pays", n.payer()}, {"leg", n.Leg}, {"zone", n.Zone},
			{"access requests signed", yes[n.Signed]}, {"access password asked", yes[n.Password]}, {"directions swapped", yes[n.Swapped]}, {"octets wrap", yes[n.Wraps]},
			{"packets", fmt.Sprint(n.Packets)}, {"last", lastOf(n.LastAt)}, {"refused", fmt.Sprint(n.Refused)},
		} {
			t.Row(row[0], row[1])
		}
		return t.Close()
	})
}

func addNAS(ctx context.Context, env *Env, args NASArgs, o *IO) (int, error) {
	return saveNAS(ctx, env, args, o, true)
}

func setNAS(ctx context.Context, env *Env, args NASArgs, o *IO) (int, error) {
	return saveNAS(ctx, env, args, o, false)
}

func saveNAS(ctx context.Context, env *Env, args NASArgs, o *IO, made bool) (int, error) {
	n, err := SetNAS(ctx, env, args, made)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, n.print(o, args.JSON)
}

func deleteNAS(ctx context.Context, env *Env, args NASArgs, o *IO) (int, error) {
	if err := DeleteNAS(ctx, env, args.Name); err != nil {
		return ExitFailed, err
	}
	return ExitOK, o.deleted(args.JSON, "NAS", args.Name)
}

// Credit is what an account may still spend.
type Credit struct {
	Disabled bool
	Limited  bool         // there is a floor under its balance
	Left     rating.Money // above the floor, what is reserved taken off
	Currency rating.Currency
}

// CreditOf returns what an account may spend, by any name of its. own is an amount that is reserved for the
// call that asks, "" for none: it is not taken off. Fails with NotFound if there is no such account.
func CreditOf(ctx context.Context, env *Env, ref, own string) (*Credit, error) {
	c := &Credit{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		a, err := tx.AccountByRef(ref)
		if err != nil {
			return err
		}
		c.Disabled, c.Currency, c.Limited = a.Disabled, a.Currency, a.MinBalance.IsSet()
		if !c.Limited {
			return nil
		}
		floor, err := rating.ParseMoney(a.MinBalance.String())
		if err != nil {
			return err
		}
		held, err := tx.ReservedAmount(a)
		if err != nil {
			return err
		}
		if own != "" {
			mine, err := rating.ParseMoney(own)
			if err != nil {
				return err
			}
			if held, err = held.Sub(mine); err != nil {
				return err
			}
		}
		if c.Left, err = tx.AccountBalance(a); err != nil {
			return err
		}
		if c.Left, err = c.Left.Sub(held); err != nil {
			return err
		}
		c.Left, err = c.Left.Sub(floor)
		return err
	})
	return c, err
}
