package storage

import (
	"math"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// authBook is the transaction as rating.Authorise reads it, without one reservation.
type authBook struct {
	billBook
	but *Reservation // nil for none
}

var _ rating.AuthBook = authBook{}

// Payer finds who pays; an account that was deleted is told from one that never was.
func (b authBook) Payer(call *rating.Call) (rating.Party, error) {
	p, err := b.billBook.Payer(call)
	if err != nil && rating.KindOf(err) == rating.NotFound {
		if n, bad := strconv.ParseUint(call.AccountRef, 10, 63); bad == nil && n != 0 {
			if a, e := b.tx.account(rating.AccountID(n)); e == nil && a.Closed() {
				return p, &rating.Error{Kind: rating.NotFound, Field: "account", Rule: rating.RefusedClosed, Msg: "account " + call.AccountRef + " is closed"}
			}
		}
	}
	return p, err
}

// Balance returns what an account holds.
func (b authBook) Balance(a *rating.Account) (rating.Money, error) { return b.tx.AccountBalance(a) }

// Reserved returns what the other calls of an account have reserved.
func (b authBook) Reserved(id rating.AccountID) (rating.Reserved, error) {
	h, err := b.tx.Reserved(id)
	if err == nil && b.but != nil && b.but.open(b.tx.now) && (id == b.but.Account || id == b.but.Vendor) {
		err = hold(&h, b.but, id, -1)
	}
	return h, err
}

// Package returns the counter that a call meets less what other calls have reserved of it.
func (b authBook) Package(payer rating.AccountID, number string) (*rating.PackageCounter, error) {
	c, err := b.tx.Package(payer, number)
	if err != nil || c == nil {
		return nil, err
	}
	h, err := b.Reserved(payer)
	left := *c
	left.Duration -= h.CounterHeld[c.ID]
	return &left, err
}

// Auth returns what a customers-auth asks of a call.
func (b authBook) Auth(id uint64) (rating.AuthLimits, error) {
	a, err := b.tx.CustomersAuths.Get(id)
	if err != nil {
		return rating.AuthLimits{}, err
	}
	return rating.AuthLimits{Reject: a.Reject, Unlimited: !a.CheckBalance, Capacity: a.Capacity}, nil
}

// Guard returns what the fraud guard says of an account.
func (b authBook) Guard(a *rating.Account) (rating.GuardGate, error) { return b.tx.gate(a) }

// AuthRequest asks whether a call may begin.
type AuthRequest struct {
	Call    *rating.Call // number, start, who pays or where it comes from; call id and source
	Seconds uint32       // talk time to reserve, 0 for what settings say
}

// Ask answers r and reserves nothing.
func (tx *Tx) Ask(r AuthRequest) (rating.Grant, error) {
	return rating.Authorise(authBook{billBook: billBook{tx}}, tx.authAsk(&r))
}

// authAsk returns r for a call that begins now where it does not say when, its numbers as its source's rules make them.
func (tx *Tx) authAsk(r *AuthRequest) rating.AuthAsk {
	call := *r.Call
	if !call.Has(rating.CDRTimeStart) {
		call.SetTime(rating.CDRTimeStart, tx.now)
	}
	call.Profile = tx.profileOf(&call)
	call.Profile.Apply(&call)
	return rating.AuthAsk{Call: &call, Seconds: r.Seconds}
}

// Authorise answers r and, if the call may begin, reserves what it may cost. The same call id again, while
// the account's reservation is open, is answered with that and reserves nothing more.
//
// Fails with Conflict if the call id is that of a reserved call to another number. It writes nothing then.
func (tx *Tx) Authorise(r AuthRequest) (g rating.Grant, made *Reservation, err error) {
	book := authBook{billBook: billBook{tx}}
	ask := tx.authAsk(&r)
	number, callID := ask.Call.Text(rating.CDRDstPrefixRouting), ask.Call.CallID()
	if g, err = rating.Authorise(book, ask); err != nil || g.Account == nil {
		return g, nil, err
	}
	was, err := tx.ReservationOf(g.Account.ID, callID)
	switch {
	case err != nil:
		return g, nil, err
	case was == nil || !was.open(tx.now):
	case was.Number != number:
		return g, nil, rating.Errorf(rating.Conflict, "call_id", "call %s is reserved already, to %s: release reservation %d first", clip(callID), clip(was.Number), was.ID)
	default:
		book.but = was // it may be what leaves nothing for itself
		if g, err = rating.Authorise(book, rating.AuthAsk{Call: was.call(), Seconds: was.Seconds, Held: true}); err != nil {
			return g, nil, err
		}
		g.Refused, g.Detail, g.Seconds, g.Amount, g.Counter = "", "", was.Seconds, was.Amount, was.Counter
		return g, was, nil
	}
	if err := tx.watchAsked(&g, number); err != nil || g.Refused != "" {
		return g, nil, err
	}
	made = &Reservation{Account: g.Account.ID, Auth: g.Auth, Rate: g.Match.Rate, StartAt: ask.Call.Time(rating.CDRTimeStart),
		CreatedAt: tx.now.Truncate(time.Millisecond), Seconds: g.Seconds, Amount: g.Amount, Counter: g.Counter, CounterSeconds: g.CounterSeconds,
		CallID: callID, Source: ask.Call.Text(rating.CDRSource), Src: ask.Call.Text(rating.CDRSrcPrefixRouting), Number: number}
	if g.Vendor != nil {
		made.Vendor = g.Vendor.ID
	}
	made.ExpiresAt = tx.expiry(made)
	if was != nil {
		if err := tx.endReservation(was); err != nil {
			return g, nil, err
		}
	}
	return g, made, tx.putReservation(made)
}

// expiry returns when a reservation ends by itself.
func (tx *Tx) expiry(r *Reservation) time.Time {
	return r.CreatedAt.Add(time.Duration(uint64(r.Seconds)+uint64(tx.Settings().KeepSeconds())) * time.Second)
}

// OpenReservation returns a reservation that has not expired, else NotFound.
func (tx *Tx) OpenReservation(id uint64) (*Reservation, error) {
	r, err := tx.Reservations.Get(id)
	if err == nil && !r.open(tx.now) {
		return nil, rating.Errorf(rating.NotFound, "reservation", "reservation %d has expired", id)
	}
	return r, err
}

// ExtendReservation reserves more talk time for a call that is under way. What it may cost is worked out
// anew, as one call from its start: a connect fee is not reserved twice. The grant's seconds are those of
// the whole call; where it is refused, or there is nothing more to have, the reservation stays as it is.
// Fails with NotFound if it has ended.
func (tx *Tx) ExtendReservation(id uint64, more uint32) (g rating.Grant, r *Reservation, err error) {
	if r, err = tx.OpenReservation(id); err != nil {
		return g, nil, err
	}
	want := uint32(min(uint64(r.Seconds)+uint64(more), math.MaxUint32))
	g, err = rating.Authorise(authBook{billBook: billBook{tx}, but: r}, rating.AuthAsk{Call: r.call(), Seconds: want, Held: true})
	if err != nil {
		return g, nil, err
	}
	if g.Refused == "" && g.Seconds <= r.Seconds {
		g.Refused, g.Detail = rating.RefusedBalance, "no more talk time can be paid for"
		if g.Account.LongestCall(tx.Settings().CallSeconds()) <= r.Seconds {
			g.Refused, g.Detail = rating.RefusedLength, "the call may last no longer"
		}
	}
	if g.Refused != "" {
		return g, r, nil
	}
	now := *r
	now.Rate, now.Seconds, now.Amount, now.Counter, now.CounterSeconds = g.Match.Rate, g.Seconds, g.Amount, g.Counter, g.CounterSeconds
	now.ExpiresAt = tx.expiry(&now)
	return g, &now, tx.replaceReservation(r, &now)
}

// replaceReservation puts now in the place of was, which is of the same accounts.
func (tx *Tx) replaceReservation(was, now *Reservation) error {
	accounts, held, err := tx.holds(was, -1)
	if err != nil {
		return err
	}
	for i, id := range accounts {
		if err := hold(&held[i], now, id, 1); err != nil {
			return err
		}
	}
	if err := tx.putHolds(accounts, held); err != nil {
		return err
	}
	return tx.Reservations.Put(now)
}

// ReleaseReservation ends a reservation whose call did not come about, or is charged by nobody. Fails with
// NotFound if it has ended.
func (tx *Tx) ReleaseReservation(id uint64) (*Reservation, error) {
	r, err := tx.OpenReservation(id)
	if err != nil {
		return nil, err
	}
	return r, tx.endReservation(r)
}

// ReservedAmount returns what an account shows as reserved.
func (tx *Tx) ReservedAmount(a *rating.Account) (rating.Money, error) {
	if tx.Txn.Get(bReserved, kv.Key(nil).U64(uint64(a.ID))) == nil {
		return 0, nil
	}
	h, err := tx.Reserved(a.ID)
	return h.Amount, err
}
