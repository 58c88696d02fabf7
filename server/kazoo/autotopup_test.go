package kazoo

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/storage"
)

func TestABalanceBelowItsThresholdIsToppedUp(t *testing.T) {
	for _, tt := range []struct {
		name, topup string
		on          bool
		want        string // balance after a debit of 20 from 25
	}{
		{"switched off", `{"amount":50,"threshold":10}`, false, "5"},
		{"nothing said", `{}`, true, "5"},
		{"no amount", `{"threshold":10}`, true, "5"},
		{"no threshold", `{"amount":50}`, true, "5"},
		{"an amount of nothing", `{"amount":0,"threshold":10}`, true, "5"},
		{"a balance at the threshold", `{"amount":50,"threshold":5}`, true, "5"},
		{"a balance below it", `{"amount":50,"threshold":5.000001}`, true, "55"},
		{"text that is a number", `{"amount":"50","threshold":"10"}`, true, "55"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			id, token := s.tenant(s.master, "Northfield")
			at := "/v2/accounts/" + id
			s.want(200, "PATCH", at, s.token, `{"data":{"topup":`+tt.topup+`}}`)
			s.update(func(tx *storage.Tx) error {
				now := *tx.Settings()
				now.TopUpAutomatic = tt.on
				return tx.SaveSettings(&now)
			})
			s.want(201, "PUT", at+"/transactions/credit", s.token, `{"data":{"amount":25}}`)
			s.topUps()
			s.want(200, "DELETE", at+"/transactions/debit", s.token, `{"data":{"amount":20}}`)
			s.topUps()
			s.topUps() // once in 24 hours
			if got := s.want(200, "GET", at+"/transactions/current_balance", token, "").text("data.balance"); got != tt.want {
				t.Errorf("balance = %s, want %s", got, tt.want)
			}
			s.sound()
		})
	}
}

func (s *server) topUps() int {
	s.t.Helper()
	n, err := s.db.TopUpLow(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestAnAutomaticTopUpWaitsADayForTheNext(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id
	s.want(200, "PATCH", at, s.token, `{"data":{"topup":{"amount":1,"threshold":10}}}`)
	s.update(func(tx *storage.Tx) error {
		now := *tx.Settings()
		now.TopUpAutomatic = true
		return tx.SaveSettings(&now)
	})
	got := fmt.Sprint(s.topUps(), s.topUps())
	s.clock.move(24*time.Hour - time.Second)
	got += fmt.Sprint(" ", s.topUps())
	s.clock.move(time.Second)
	got += fmt.Sprint(" ", s.topUps())
	if want := "1 0 0 1"; got != want {
		t.Errorf("top-ups at once, again, a second before a day, a day later = %s, want %s", got, want)
	}
	r := s.want(200, "GET", at+"/ledgers/payments", s.masterToken(), "")
	if got, want := r.text("data.0.description")+" "+r.at("data.0.executor")+" "+r.text("data.0.amount"), `Automatic top-up {"module":"kz_services_topup","trigger":"automatic"} 1`; got != want {
		t.Errorf("ledger = %s, want %s", got, want)
	}
	s.update(func(tx *storage.Tx) error {
		a := s.byIDIn(tx, id)
		a.Doc = nil
		return tx.SaveAccount(a)
	})
	s.clock.move(48 * time.Hour)
	if n := s.topUps(); n != 0 {
		t.Errorf("top-ups without terms = %d, want 0", n)
	}
}

// Where accounts may not top themselves up, they may not say either what they are topped up with.
func TestTermsOfTopUpsAreTheSellersWhereTopUpsAre(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id
	s.want(200, "PATCH", at, token, `{"data":{"topup":{"amount":1,"threshold":10}}}`)
	s.update(func(tx *storage.Tx) error {
		now := *tx.Settings()
		now.TopUpBySeller = true
		return tx.SaveSettings(&now)
	})
	s.want(403, "PATCH", at, token, `{"data":{"topup":{"amount":100}}}`)
	s.want(200, "PATCH", at, token, `{"data":{"language":"de-de"}}`)
	if r := s.want(200, "PATCH", at, s.token, `{"data":{"topup":{"amount":100}}}`); r.at("data.topup") != `{"amount":100,"threshold":10}` {
		t.Errorf("terms = %s, want the seller's", r.raw)
	}
}
