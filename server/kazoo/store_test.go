package kazoo

import (
	"context"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// byID finds an account by the id that Kazoo knows it by.
func (s *server) byID(id string) (a *rating.Account) {
	s.t.Helper()
	s.view(func(tx *storage.Tx) error {
		u, err := rating.ParseUUID(id)
		if err == nil {
			a, err = tx.AccountByUUID(u)
		}
		return err
	})
	return a
}

func (s *server) view(fn func(*storage.Tx) error) {
	s.t.Helper()
	if err := s.db.View(context.Background(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) update(fn func(*storage.Tx) error) {
	s.t.Helper()
	if err := s.db.Update(context.Background(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// until moves the clock to an instant and runs the scheduler's part; it returns how many accounts were
// charged.
func (s *server) until(at time.Time) int {
	s.t.Helper()
	s.clock.move(at.Sub(s.clock.now()))
	n, err := s.db.ChargePlans(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// sound fails the test for each fault that check finds.
func (s *server) sound() {
	s.t.Helper()
	if err := s.db.Check(context.Background(), false, func(f string) { s.t.Errorf("check: %s", f) }); err != nil {
		s.t.Fatal(err)
	}
}

// postings lists an account's plan charges, oldest first: amount and text.
func (s *server) charges(id string) (list []string) {
	s.t.Helper()
	a := s.byID(id)
	s.view(func(tx *storage.Tx) error {
		return tx.TransactionsOf(a, func(p *rating.Posting) (bool, error) {
			sign := "-"
			if p.Credit.Kind == rating.LedgerAccount {
				sign = "+"
			}
			list = append(list, sign+p.Amount.Number()+" "+p.Text)
			return true, nil
		})
	})
	return list
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "; "), strings.Join(want, "; "); g != w {
		t.Errorf("%s = %s, want %s", what, g, w)
	}
}

// masterToken returns a token of the master that holds at the clock's time.
func (s *server) masterToken() string {
	s.t.Helper()
	return s.want(201, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+s.account(rating.MasterAccount).APIKey+`"}}`).text("auth_token")
}

func (s *server) byIDIn(tx *storage.Tx, id string) *rating.Account {
	s.t.Helper()
	u, err := rating.ParseUUID(id)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := tx.AccountByUUID(u)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}
