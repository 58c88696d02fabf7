package yeti

import (
	"context"
	"strconv"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// update changes the store past the API.
func (r *rig) update(fn func(tx *storage.Tx) error) {
	r.t.Helper()
	r.must(r.db.Update(context.Background(), fn))
}

func number(t testing.TB, id string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// history takes in a call of another system and returns its number.
func (r *rig) history(account, vendor string, at time.Time, fill func(c *rating.Call)) string {
	r.t.Helper()
	call := &rating.Call{Rated: true}
	call.SetTime(rating.CDRTimeStart, at)
	call.SetInt(rating.CDRCustomerAccID, int64(number(r.t, account)))
	if vendor != "" {
		call.SetInt(rating.CDRVendorAccID, int64(number(r.t, vendor)))
	}
	if fill != nil {
		fill(call)
	}
	var v rating.Verdict
	r.update(func(tx *storage.Tx) (err error) {
		v, err = tx.Charge(call)
		return err
	})
	if v.ID == 0 {
		r.t.Fatalf("the call was not stored: %+v", v)
	}
	return decimal(v.ID)
}

// customer makes a login of a contractor, limited to accounts if any are named, and returns its token.
func (r *rig) customer(contractor, accounts string) string {
	r.t.Helper()
	login := "login-" + contractor + accounts
	r.create("/api-accesses", `{"data":{"type":"api-accesses","attributes":{"login":"`+login+`","password":"`+testPassword+`","customer-id":`+contractor+`,"account-ids":[`+accounts+`]}}}`)
	a := r.do("POST", CustomerBase+"/auth", `{"auth":{"login":"`+login+`","password":"`+testPassword+`"}}`, nil)
	if a.StatusCode != 201 {
		r.t.Fatalf("sign-in = %d %s", a.StatusCode, a.body)
	}
	return a.body[len(`{"jwt":"`) : len(a.body)-len(`"}`)]
}

// own reads below the customer API.
func (r *rig) own(token, path string) answer {
	r.t.Helper()
	return r.do("GET", CustomerBase+path, "", map[string]string{"Authorization": token, "Content-Type": ""})
}

func TestAnOriginatedDestinationOfNullsIsShownByteForByte(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "Northfield", "")
	var id string
	r.update(func(tx *storage.Tx) error {
		inv := &rating.Invoice{Account: rating.AccountID(number(t, acc)), State: rating.InvoiceApproved, Origin: rating.History, Start: testClock.AddDate(0, -1, 0), End: testClock}
		if err := tx.Invoices.Put(inv); err != nil {
			return err
		}
		l := &rating.InvoiceLine{Invoice: inv.ID, Account: inv.Account, Kind: rating.OriginatedDestination, Spent: true}
		err := tx.Lines.Put(l)
		id = decimal(l.ID)
		return err
	})
	self := r.base + "/api/rest/admin/invoice-originated-destinations/" + id
	want := `{"data":{"id":"` + id + `","type":"invoice-originated-destinations","links":{"self":"` + self + `"},` +
		`"attributes":{"amount":null,"billing-duration":null,"calls-count":null,"calls-duration":null,"dst-prefix":null,"first-call-at":null,"last-call-at":null,"rate":null,"spent":true,"successful-calls-count":null},` +
		`"relationships":{"invoice":{"links":{"self":"` + self + `/relationships/invoice","related":"` + self + `/invoice"}},` +
		`"country":{"links":{"self":"` + self + `/relationships/country","related":"` + self + `/country"}},` +
		`"network":{"links":{"self":"` + self + `/relationships/network","related":"` + self + `/network"}}}}}`
	if got := r.admin("GET", "/invoice-originated-destinations/"+id, "").body; got != want {
		t.Errorf("document\n got %s\nwant %s", got, want)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"a country that is not known is null", "/country", `{"data":null}`},
		{"a network that is not known is null", "/network", `{"data":null}`},
		{"its linkage too", "/relationships/network", `{"data":null,"links":{"self":"` + self + `/relationships/network","related":"` + self + `/network"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("GET", "/invoice-originated-destinations/"+id+tt.path, "").body; got != tt.want {
				t.Errorf("body = %s, want %s", got, tt.want)
			}
		})
	}
	if a := r.admin("PATCH", "/invoice-originated-destinations/"+id+"/relationships/network", `{"data":null}`); a.StatusCode != 404 {
		t.Errorf("a write to a read-only breakdown = %d, want 404", a.StatusCode)
	}
}

func TestAnIncomingCallIsShownByteForByte(t *testing.T) {
	r := newRig(t)
	vendor := r.contractor("Carrier")
	caller := r.contractor("Northfield")
	acc, vacc := r.account(caller, "Northfield", ""), r.account(vendor, "Carrier", "")
	token := r.customer(vendor, "")
	at := testClock.Add(-20 * time.Minute)
	id := r.history(acc, vacc, at, func(c *rating.Call) {
		c.SetTime(rating.CDRTimeConnect, at)
		c.SetTime(rating.CDRTimeEnd, at.Add(30*time.Second))
		c.SetInt(rating.CDRDuration, 30)
		c.SetBool(rating.CDRSuccess, true)
		c.SetText(rating.CDRSrcPrefixRouting, "SRC Prefix Routing")
		c.SetText(rating.CDRDstPrefixRouting, "DST Prefix Routing")
		c.SetText(rating.CDRLocalTag, "EU")
	})
	self := r.base + "/api/rest/customer/v1/incoming-cdrs/" + id
	want := `{"data":{"id":"` + id + `","type":"incoming-cdrs","links":{"self":"` + self + `"},"attributes":{` +
		`"time-start":"2026-11-21T11:40:00.123Z","time-connect":"2026-11-21T11:40:00.123Z","time-end":"2026-11-21T11:40:30.123Z","duration":30,"success":true,` +
		`"dialpeer-initial-interval":null,"dialpeer-initial-rate":null,"dialpeer-next-interval":null,"dialpeer-next-rate":null,"dialpeer-fee":null,"dialpeer-prefix":null,` +
		`"vendor-price":null,"vendor-duration":null,"src-name-out":null,"src-prefix-out":null,"dst-prefix-out":null,"src-prefix-routing":"SRC Prefix Routing",` +
		`"dst-prefix-routing":"DST Prefix Routing","diversion-out":null,"local-tag":"EU","legb-disconnect-code":null,"legb-disconnect-reason":null,"sign-term-ip":null,` +
		`"sign-term-port":null,"sign-term-transport-protocol-id":null,"term-call-id":null,"legb-user-agent":null,"rec":false},` +
		`"relationships":{"account":{"links":{"self":"` + self + `/relationships/account","related":"` + self + `/account"}}}}}`
	if got := r.own(token, "/incoming-cdrs/"+id).body; got != want {
		t.Errorf("document\n got %s\nwant %s", got, want)
	}
	if got := r.own(token, "/incoming-cdrs/"+id+"/account"); got.StatusCode != 200 || len(got.body) < 20 {
		t.Errorf("related account = %d %s, want the vendor's", got.StatusCode, got.body)
	}
	if got := r.own(r.customer(caller, ""), "/incoming-cdrs/"+id); got.StatusCode != 404 {
		t.Errorf("the caller's own view of a call that it did not terminate = %d, want 404", got.StatusCode)
	}
}
