package ui

import (
	"net/url"
	"strconv"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// reservationList is the page of calls that are authorised and not charged yet.
type reservationList struct {
	Query string // account
	Rows  []reservationRow
	Total int
	Next  string
}

// reservationRow is a reservation as the list shows it.
type reservationRow struct {
	*storage.Reservation
	Payer    accountLink
	Currency rating.Currency
	Ago      string
	Left     string // until it ends by itself
}

func (u *UI) reservations(c *fiber.Ctx, s *session) error {
	l := reservationList{Query: c.Query("account")}
	from, err := number(c, "from")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		l.Total = tx.OpenReservations()
		return l.read(tx, from)
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "reservations", page{Title: "Reservations", Nav: "reservations", Data: l})
}

func (l *reservationList) read(tx *storage.Tx, from uint64) error {
	var f storage.ReservationFilter
	if l.Query != "" {
		a, err := tx.AccountByRef(l.Query)
		if err != nil {
			return err
		}
		f.Account = a.ID
	}
	return tx.EachReservation(from, f, func(r *storage.Reservation) (bool, error) {
		if len(l.Rows) == pageRows {
			l.Next = again("/reservations", url.Values{"account": {l.Query}}, "from", strconv.FormatUint(r.ID, 10))
			return false, nil
		}
		a, err := tx.Accounts.Get(uint64(r.Account))
		if err != nil {
			return false, err
		}
		left := r.ExpiresAt.Sub(tx.Now()).Round(time.Second)
		l.Rows = append(l.Rows, reservationRow{r, accountLink{a.ID, a.Name}, a.Currency, talkSince(tx.Now(), r.CreatedAt), talk(int64(left / time.Second))})
		return true, nil
	})
}

// release gives back what a call has reserved and shows the page again.
func (u *UI) release(c *fiber.Ctx, _ *session) error {
	id, err := rowID(c, "reservation")
	if err != nil {
		return err
	}
	if _, err := ops.ReleaseReservation(c.UserContext(), u.Env, id); err != nil {
		return err
	}
	return u.redirect(c, "/reservations")
}
