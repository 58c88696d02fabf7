package ops

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// AuthorizeArgs ask whether a call may begin. Who pays is named by Account, else told by where the call
// comes from: IP with Number and Src, as customers-auths say.
type AuthorizeArgs struct {
	Account string `json:"account"`
	Vendor  string `json:"vendor"` // who would terminate it
	IP      string `json:"ip"`
	Src     string `json:"src"`
	Number  string `json:"number"`
	At      string `json:"at"`
	CallID  string `json:"call_id"`
	Source  string `json:"source"`
	Seconds string `json:"seconds"`
	JSON    bool   `json:"json"`
}

// maxCallID bounds the texts of a request that are kept.
const maxCallID = 255

// request reads args.
func (args *AuthorizeArgs) request() (r storage.AuthRequest, err error) {
	call := &rating.Call{AccountRef: args.Account, VendorRef: args.Vendor}
	for _, f := range []struct {
		name, value string
		field       rating.CDRField
	}{{"number", args.Number, rating.CDRDstPrefixRouting}, {"src", args.Src, rating.CDRSrcPrefixRouting}, {"call_id", args.CallID, rating.CDRCallID}, {"source", args.Source, rating.CDRSource}} {
		if len(f.value) > maxCallID || strings.ContainsRune(f.value, 0) {
			return r, badArgument(f.name, "%s: want at most %d characters", f.name, maxCallID)
		}
		call.SetText(f.field, f.value)
	}
	if args.Number == "" || strings.ContainsFunc(args.Number, func(r rune) bool { return r <= ' ' }) {
		return r, badArgument("number", "number %.60q: want a number without blanks", args.Number)
	}
	if args.IP != "" {
		addr, err := netip.ParseAddr(args.IP)
		if err != nil {
			return r, badArgument("ip", "ip %.60q: want an IP address", args.IP)
		}
		call.SetText(rating.CDRAuthOrigIP, addr.Unmap().WithZone("").String())
	}
	if args.Account == "" && args.IP == "" {
		return r, badArgument("account", "account or ip: one of them says who pays")
	}
	if args.At != "" {
		at, err := parseInstant(args.At, time.UTC)
		if err != nil {
			return r, badArgument("at", "at %w", err)
		}
		call.SetTime(rating.CDRTimeStart, at)
	}
	r.Call = call
	if args.Seconds != "" {
		r.Seconds, err = talkSeconds(args.Seconds)
	}
	return r, err
}

// talkSeconds reads a talk time that is asked for.
func talkSeconds(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 || n > math.MaxInt32 {
		return 0, badArgument("seconds", "seconds %.60q: want 1 to %d", text, math.MaxInt32)
	}
	return uint32(n), nil
}

// Authorization says whether a call may begin, or go on.
type Authorization struct {
	Allowed     bool            `json:"allowed"`
	Reason      *string         `json:"reason"` // a word, null when it is allowed
	Detail      string          `json:"detail,omitempty"`
	MaxSeconds  uint32          `json:"max_seconds"` // talk time from the answer on
	AccountID   uint64          `json:"account_id,omitempty"`
	Account     string          `json:"account,omitempty"`
	Rate        *AuthorizedRate `json:"rate,omitempty"`
	Package     uint64          `json:"package_counter_id,omitempty"` // that pays for it
	Reservation *ReservedCall   `json:"reservation,omitempty"`
}

// AuthorizedRate is the rate that the call would be charged by. Prices are a minute.
type AuthorizedRate struct {
	ID           uint64 `json:"rate_id"`
	Prefix       string `json:"prefix"`
	Deck         string `json:"deck"`
	Currency     string `json:"currency"`
	ConnectFee   string `json:"connect_fee"`
	FirstSeconds uint32 `json:"first_seconds"`
	FirstPrice   string `json:"first_price"`
	NextSeconds  uint32 `json:"next_seconds"`
	NextPrice    string `json:"next_price"`
}

// ReservedCall is a reservation as it is shown.
type ReservedCall struct {
	ID        string    `json:"id"`
	AccountID uint64    `json:"account_id"`
	Vendor    uint64    `json:"vendor_account_id,omitempty"`
	CallID    string    `json:"call_id,omitempty"`
	Source    string    `json:"source,omitempty"`
	Src       string    `json:"src,omitempty"`
	Number    string    `json:"number"`
	Seconds   uint32    `json:"seconds"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	Package   uint64    `json:"package_counter_id,omitempty"`
	Minutes   int64     `json:"package_seconds,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func newReservedCall(r *storage.Reservation, currency rating.Currency) *ReservedCall {
	return &ReservedCall{ID: strconv.FormatUint(r.ID, 10), AccountID: uint64(r.Account), Vendor: uint64(r.Vendor), CallID: r.CallID, Source: r.Source,
		Src: r.Src, Number: r.Number, Seconds: r.Seconds, Amount: r.Amount.String(), Currency: currency.String(), Package: r.Counter,
		Minutes: r.CounterSeconds, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}
}

// newAuthorization renders a grant and what it reserved, nil for nothing.
func newAuthorization(number string, g *rating.Grant, r *storage.Reservation) *Authorization {
	a := &Authorization{Allowed: g.Refused == "", Detail: g.Detail, MaxSeconds: g.Seconds, Package: g.Counter}
	if !a.Allowed {
		a.Reason = &g.Refused
	}
	if g.Account != nil {
		a.AccountID, a.Account = uint64(g.Account.ID), g.Account.Name
	}
	if g.Deck != nil {
		t := &g.Match.Terms
		a.Rate = &AuthorizedRate{ID: uint64(g.Match.Rate), Prefix: number[:g.Match.PrefixLen], Deck: g.Deck.Name, Currency: g.Deck.Currency.String(), ConnectFee: t.ConnectFee.String(),
			FirstSeconds: t.First.Seconds, FirstPrice: t.First.Price.String(), NextSeconds: t.Next.Seconds, NextPrice: t.Next.Price.String()}
	}
	if r != nil {
		a.MaxSeconds = r.Seconds
		a.Reservation = newReservedCall(r, g.Account.Currency)
	}
	return a
}

// reserve runs fn in a transaction, in the server's queue where there is one.
func (e *Env) reserve(ctx context.Context, fn func(*storage.Tx) error) error {
	if e.Auths != nil {
		return e.Auths.Do(ctx, fn)
	}
	return e.DB.Update(ctx, fn)
}

// Ask says whether a call may begin and reserves nothing.
func Ask(ctx context.Context, env *Env, args AuthorizeArgs) (*Authorization, error) {
	r, err := args.request()
	if err != nil {
		return nil, err
	}
	var a *Authorization
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		g, err := tx.Ask(r)
		a = newAuthorization(args.Number, &g, nil)
		return err
	})
	return a, err
}

// Authorize says whether a call may begin; if so, what it may cost is reserved, durably, before it answers.
func Authorize(ctx context.Context, env *Env, args AuthorizeArgs) (*Authorization, error) {
	r, err := args.request()
	if err != nil {
		return nil, err
	}
	var a *Authorization
	err = env.reserve(ctx, func(tx *storage.Tx) error {
		g, made, err := tx.Authorise(r)
		a = newAuthorization(args.Number, &g, made)
		return err
	})
	return a, err
}

// ExtendReservation reserves more talk time for a call that is under way.
func ExtendReservation(ctx context.Context, env *Env, id uint64, seconds string) (*Authorization, error) {
	more, err := talkSeconds(seconds)
	if err != nil {
		return nil, err
	}
	var a *Authorization
	err = env.reserve(ctx, func(tx *storage.Tx) error {
		g, r, err := tx.ExtendReservation(id, more)
		if err == nil && g.Account == nil {
			return rating.Errorf(rating.Conflict, "reservation", "reservation %d: %s", id, g.Detail)
		}
		if err == nil {
			a = newAuthorization(r.Number, &g, r)
		}
		return err
	})
	return a, err
}

// ReleaseReservation ends a reservation whose call did not come about.
func ReleaseReservation(ctx context.Context, env *Env, id uint64) (*ReservedCall, error) {
	var shown *ReservedCall
	err := env.reserve(ctx, func(tx *storage.Tx) error {
		r, err := tx.ReleaseReservation(id)
		if err == nil {
			shown, err = showReservation(tx, r)
		}
		return err
	})
	return shown, err
}

func showReservation(tx *storage.Tx, r *storage.Reservation) (*ReservedCall, error) {
	a, err := tx.Accounts.Get(uint64(r.Account))
	if err != nil {
		return nil, err
	}
	return newReservedCall(r, a.Currency), nil
}

// ListReservations returns at most limit open reservations from one on, of an account and with a call id
// where they are given.
func ListReservations(ctx context.Context, env *Env, account, callID string, from uint64, limit int) ([]*ReservedCall, error) {
	items := []*ReservedCall{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		f := storage.ReservationFilter{CallID: callID}
		if account != "" {
			a, err := tx.AccountByRef(account)
			if err != nil {
				return err
			}
			f.Account = a.ID
		}
		return tx.EachReservation(from, f, func(r *storage.Reservation) (bool, error) {
			shown, err := showReservation(tx, r)
			items = append(items, shown)
			return len(items) < limit, err
		})
	})
	return items, err
}

// ExpireReservations takes away the reservations that hold nothing any more and returns how many.
func ExpireReservations(ctx context.Context, env *Env) (gone int, err error) {
	for ctx.Err() == nil {
		n := 0
		err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = tx.ExpireReservations()
			return err
		})
		if gone += n; err != nil || n == 0 {
			return gone, err
		}
	}
	return gone, ctx.Err()
}

func authorize(ctx context.Context, env *Env, args AuthorizeArgs, o *IO) (int, error) {
	a, err := Ask(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, a, a.print)
}

func (a *Authorization) print(w io.Writer) error {
	if a.Allowed {
		fmt.Fprintf(w, "allowed, %d s\n", a.MaxSeconds)
	} else {
		fmt.Fprintf(w, "refused, %s: %s\n", *a.Reason, a.Detail)
	}
	if a.Account != "" {
		fmt.Fprintf(w, "account %d, %s\n", a.AccountID, a.Account)
	}
	if r := a.Rate; r != nil {
		fmt.Fprintf(w, "rate %d of deck %s, prefix %s: %s + %s a minute for %d s, then %s by %d s, in %s\n",
			r.ID, r.Deck, r.Prefix, r.ConnectFee, r.FirstPrice, r.FirstSeconds, r.NextPrice, r.NextSeconds, r.Currency)
	}
	if a.Package != 0 {
		fmt.Fprintf(w, "package counter %d pays\n", a.Package)
	}
	return nil
}

// ReservationArgs pick reservations.
type ReservationArgs struct {
	ID      uint64 `json:"id"`
	Account string `json:"account"`
	CallID  string `json:"call_id"`
	JSON    bool   `json:"json"`
}

func listReservations(ctx context.Context, env *Env, args ReservationArgs, o *IO) (int, error) {
	all, err := listAll(func(r **ReservedCall) string { return (*r).ID }, func(from uint64, n int) ([]*ReservedCall, error) {
		return ListReservations(ctx, env, args.Account, args.CallID, from, n)
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, all, func(w io.Writer) error {
		t := NewTable(w, "id", "account", "number", "call id", "seconds", "amount", "expires")
		for _, r := range all {
			t.Row(r.ID, strconv.FormatUint(r.AccountID, 10), r.Number, r.CallID, strconv.FormatUint(uint64(r.Seconds), 10), r.Amount+" "+r.Currency, stampOf(r.ExpiresAt))
		}
		return t.Close()
	})
}

func releaseReservation(ctx context.Context, env *Env, args ReservationArgs, o *IO) (int, error) {
	r, err := ReleaseReservation(ctx, env, args.ID)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "released %s %s of account %d\n", r.Amount, r.Currency, r.AccountID)
		return err
	})
}
