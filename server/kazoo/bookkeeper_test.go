package kazoo

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func TestAnAccountThatOwesItsPlansOnlyMayGo(t *testing.T) {
	s := newServer(t)
	p := s.plan(s.master, seats)
	for _, tt := range []struct {
		name string
		pay  bool
		want int
	}{{"charges of plans alone", false, 200}, {"a payment too", true, 409}} {
		t.Run(tt.name, func(t *testing.T) {
			id, _ := s.tenant(s.master, tt.name)
			s.want(200, "POST", "/v2/accounts/"+id+"/services/manual", s.token, `{"data":{"users":{"user":2}}}`)
			s.want(200, "POST", "/v2/accounts/"+id+"/services/"+p, s.token, "")
			if tt.pay {
				s.want(200, "POST", "/v2/accounts/"+id+"/services/topup", s.token, `{"data":{"amount":1}}`)
			}
			s.want(tt.want, "DELETE", "/v2/accounts/"+id, s.token, "")
			s.sound()
		})
	}
	if n := s.until(s.clock.now().AddDate(0, 1, 0)); n != 1 {
		t.Errorf("a month later %d accounts were charged, want the one that is left", n)
	}
}

const seats = `{"name":"Seats","plan":{"users":{"user":{"name":"Seat","rate":30,"activation_charge":5}}}}`

// The clock of tests stands at 21 November: 10 of 30 days are left.
func TestAPlanIsChargedWhenItIsTakenAndEveryMonthOnce(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id
	p := s.plan(s.master, seats)
	s.want(200, "POST", at+"/services/manual", s.token, `{"data":{"users":{"user":2}}}`)
	same(t, "charges without a plan", s.charges(id), nil)
	s.want(200, "POST", at+"/services/"+p, s.token, "")
	want := []string{"-10 Seat, activation", "-20 Seat, part of a month"}
	same(t, "charges of the first plan", s.charges(id), want)
	s.want(200, "POST", at+"/services/manual", s.token, `{"data":{"users":{"user":2}}}`)
	s.want(200, "POST", at+"/services/reconciliation", s.token, "")
	s.want(200, "POST", at+"/services/synchronization", s.token, "")
	same(t, "charges of the same quantities", s.charges(id), want)

	midnight := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC) // in Los Angeles
	if n := s.until(midnight.Add(-time.Second)); n != 0 {
		t.Errorf("a second before the month: %d accounts charged, want 0", n)
	}
	if n := s.until(midnight); n != 1 {
		t.Errorf("at midnight: %d accounts charged, want 1", n)
	}
	if n := s.until(midnight.Add(time.Minute)); n != 0 {
		t.Errorf("a minute later: %d accounts charged, want 0", n)
	}
	want = append(want, "-60 Seat")
	same(t, "charges of December", s.charges(id), want)

	// three months without a scheduler: a change charges them first, for what there was in them
	s.clock.move(time.Date(2027, 3, 16, 12, 0, 0, 0, time.UTC).Sub(s.clock.now())) // 16 of 31 days are left
	key := s.want(200, "GET", at+"/api_key", s.masterToken(), "").text("data.api_key")
	token = s.want(201, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`).text("auth_token")
	s.want(200, "POST", at+"/services/manual", s.masterToken(), `{"data":{"users":{"user":1}}}`)
	want = append(want, "-60 Seat", "-60 Seat", "-60 Seat", "+15.483871 Seat, given back")
	same(t, "charges of three months and a removal", s.charges(id), want)
	if n := s.until(s.clock.now()); n != 0 {
		t.Errorf("after a change: %d accounts charged, want 0", n)
	}
	if got, want := s.want(200, "GET", at+"/ledgers/total", token, "").text("data.amount"), "-254.516129"; got != want {
		t.Errorf("total = %s, want %s", got, want)
	}
	r := s.want(200, "GET", at+"/ledgers/services?page_size=1", token, "")
	if got, want := r.at("data.0.usage")+r.at("data.0.executor")+r.text("data.0.amount"), `{"quantity":1,"type":"users","unit":"user"}{"module":"kz_services_bookkeeper","trigger":"automatic"}15.483871`; got != want {
		t.Errorf("ledger = %s, want %s", got, want)
	}
	r = s.want(200, "GET", at+"/transactions/monthly_recurring", token, "")
	if got, want := r.text("data.0.code")+" "+r.text("data.1.code")+" "+r.text("data.1.amount"), "5002 5001 60"; got != want {
		t.Errorf("monthly_recurring = %s, want %s", r.raw, want)
	}
	s.want(200, "DELETE", at+"/services/"+p, s.masterToken(), "")
	if n := s.until(s.clock.now().AddDate(1, 0, 0)); n != 0 {
		t.Errorf("a year without a plan: %d accounts charged, want 0", n)
	}
	s.sound()
}

func TestConsentComesBeforeTheCharge(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id
	s.want(200, "POST", at+"/services/"+s.plan(s.master, seats), s.token, "")
	body := `{"first_name":"a","last_name":"b"`
	r := s.want(402, "PUT", at+"/users", token, `{"data":`+body+`}}`)
	if got, want := r.text("message")+" "+r.text("error")+" "+r.text("data.0.activation_charges.0.total")+" "+r.text("data.0.items.0.changes.difference.billable"), "accept charges 402 5 1"; got != want {
		t.Errorf("402 = %s, want %s", r.raw, want)
	}
	same(t, "charges without consent", s.charges(id), nil)
	u := s.want(201, "PUT", at+"/users", token, `{"data":`+body+`,"accept_charges":true}}`).text("data.id")
	s.want(200, "DELETE", at+"/users/"+u, token, "")
	same(t, "charges", s.charges(id), []string{"-5 Seat, activation", "-10 Seat, part of a month", "+10 Seat, given back"})
	s.sound()
}

func TestPlanChargesAreServiceLinesOfTheInvoice(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	a := s.byID(id)
	s.update(func(tx *storage.Tx) error {
		a.VAT, a.Timezone = 20_000_000, "Europe/Berlin"
		return tx.SaveAccount(a)
	})
	at := "/v2/accounts/" + id
	s.want(200, "POST", at+"/services/manual", s.token, `{"data":{"users":{"user":2}}}`)
	s.want(200, "POST", at+"/services/"+s.plan(s.master, seats), s.token, "")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s.until(time.Date(2027, 1, 2, 0, 0, 0, 0, berlin))
	var paper *rating.Invoice
	for _, tt := range []struct {
		month time.Month
		want  []string
	}{
		{time.November, []string{"12 of 1: Seat, activation", "24 of 1: Seat, part of a month"}},
		{time.December, []string{"72 of 1: Seat"}}, // charged a month late, on its own paper all the same
	} {
		var inv *rating.Invoice
		s.update(func(tx *storage.Tx) (err error) {
			inv, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: time.Date(2026, tt.month, 1, 0, 0, 0, 0, berlin), End: time.Date(2026, tt.month+1, 1, 0, 0, 0, 0, berlin)})
			return err
		})
		if _, err := s.db.FillInvoice(context.Background(), inv.ID); err != nil {
			t.Fatal(err)
		}
		var lines []string
		s.view(func(tx *storage.Tx) error {
			return tx.LinesOf(inv.ID, rating.ServiceLine, func(l *rating.InvoiceLine) (bool, error) {
				lines = append(lines, fmt.Sprintf("%s of %d: %s", l.Amount.Number(), *l.Calls, *l.Text))
				return true, nil
			})
		})
		same(t, "lines of "+tt.month.String(), lines, tt.want)
	}
	// a month whose first day is on paper already is charged on the next
	s.clock.move(time.Date(2027, 2, 1, 12, 0, 0, 0, berlin).Sub(s.clock.now()))
	s.update(func(tx *storage.Tx) (err error) {
		paper, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: time.Date(2027, 1, 1, 0, 0, 0, 0, berlin), End: time.Date(2027, 2, 1, 10, 0, 0, 0, berlin)})
		return err
	})
	if _, err := s.db.FillInvoice(context.Background(), paper.ID); err != nil {
		t.Fatal(err)
	}
	s.until(s.clock.now())
	same(t, "charges", s.charges(id)[6:], []string{"-60 Seat", "-12 VAT: Seat", "-60 Seat", "-12 VAT: Seat"})
	s.sound()
}

// What an account counts leaves those above it whoever closes it, and comes along when it moves.
func TestTheCascadeFollowsTheTree(t *testing.T) {
	s := newServer(t)
	seller, _ := s.tenant(s.master, "Seller")
	s.want(201, "PUT", "/v2/accounts/"+seller+"/reseller", s.token, `{"data":{}}`)
	parent, _ := s.tenant(seller, "Parent")
	child, _ := s.tenant(parent, "Child")
	p := s.plan(s.master, `{"name":"Cascade","plan":{"devices":{"_all":{"name":"Device","rate":30,"cascade":true}}}}`)
	s.want(200, "POST", "/v2/accounts/"+seller+"/services/"+p, s.token, "")
	s.want(201, "PUT", "/v2/accounts/"+child+"/devices", s.token, `{"data":{"name":"d"}}`)
	same(t, "charges of the seller", s.charges(seller), []string{"-10 Device, part of a month"})
	s.sound()
	s.want(200, "POST", "/v2/accounts/"+child+"/move", s.token, `{"data":{"to":"`+seller+`"}}`)
	same(t, "charges after a move below the seller", s.charges(seller)[1:], []string{"+10 Device, given back", "-10 Device, part of a month"})
	s.sound()
	s.update(func(tx *storage.Tx) error {
		if err := tx.CloseAccount(s.byIDIn(tx, seller).ID); rating.KindOf(err) != rating.Conflict {
			t.Errorf("closing an account with others below = %v, want Conflict", err)
		}
		return nil
	})
	s.update(func(tx *storage.Tx) error { return tx.CloseAccount(s.byIDIn(tx, child).ID) }) // as Yeti does
	r := s.want(200, "GET", "/v2/accounts/"+seller+"/services/summary", s.token, "")
	if got := r.at("data.quantities.cascade") + r.text("data.invoices.0.summary.recurring"); got != "{}0" {
		t.Errorf("summary without the child = %s, want nothing", got)
	}
	audits := s.want(200, "GET", "/v2/accounts/"+seller+"/services/audit", s.token, "")
	one := s.want(200, "GET", "/v2/accounts/"+seller+"/services/audit/"+audits.text("data.0.id"), s.token, "")
	if got, want := one.text("data.audit.crossbar_request")+one.at("data.audit.request")+one.text("data.audit.changes.account_name"), "falseabsentChild"; got != want {
		t.Errorf("audit of what another dialect did = %s, want %s", one.raw, want)
	}
	s.sound()
}

func TestReconciliationMendsTheWholeTree(t *testing.T) {
	s := newServer(t)
	parent, _ := s.tenant(s.master, "Parent")
	child, _ := s.tenant(parent, "Child")
	s.want(201, "PUT", "/v2/accounts/"+child+"/devices", s.token, `{"data":{"name":"d"}}`)
	s.update(func(tx *storage.Tx) error {
		for _, id := range []string{parent, child} {
			sv, err := tx.ServicesOf(s.byIDIn(tx, id).ID)
			if err != nil {
				return err
			}
			sv.Counted = storage.Quantities{"devices": {"fax": 7}}
			if err := tx.Services.Put(sv); err != nil {
				return err
			}
		}
		return nil
	})
	s.want(200, "POST", "/v2/accounts/"+parent+"/services/reconciliation", s.token, "")
	r := s.want(200, "GET", "/v2/accounts/"+parent+"/services/summary", s.token, "")
	if got, want := r.at("data.quantities"), `{"account":{},"cascade":{"devices":{"sip_device":1}},"manual":{}}`; got != want {
		t.Errorf("quantities = %s, want %s", got, want)
	}
	s.want(200, "POST", "/v2/accounts/"+s.master+"/services/reconciliation", s.token, "")
	s.sound()
}
