package yeti

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// env is what background work gets.
func (r *rig) env() *ops.Env { return &ops.Env{DB: r.db} }

// later is wait for as long as tokens do not live: the operator signs in again.
func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.wait(d)
	a := r.do("POST", AdminBase+"/auth", `{"auth":{"username":"admin","password":"`+testPassword+`"}}`, map[string]string{"Content-Type": "application/json"})
	if a.StatusCode != 201 {
		r.t.Fatalf("sign-in = %d %s", a.StatusCode, a.body)
	}
	r.token = a.body[len(`{"jwt":"`) : len(a.body)-len(`"}`)]
}

// sound asks the store whether everything adds up.
func (r *rig) sound() {
	r.t.Helper()
	r.must(r.db.Check(context.Background(), false, func(fault string) { r.t.Errorf("check: %s", fault) }))
}

func serviceDoc(account, typ, attrs string) string {
	return `{"data":{"type":"services","attributes":{` + attrs + `},"relationships":{"account":{"data":{"type":"accounts","id":` + account + `}},"service-type":{"data":{"type":"service-types","id":` + typ + `}}}}}`
}

func typeDoc(name, class, attrs string) string {
	return `{"data":{"type":"service-types","attributes":{"name":"` + name + `","provisioning-class":"Billing::Provisioning::` + class + `"` + attrs + `}}}`
}

func TestRulesOfServicesAndTransactions(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, other := r.account(con, "one", ""), r.account(con, "two", "")
	typ, minutes := r.create("/service-types", typeDoc("line", "Logging", "")), r.create("/service-types", typeDoc("minutes", "FreeMinutes", ""))
	s := r.create("/services", serviceDoc(acc, typ, `"initial-price":0,"renew-price":1`))
	for _, tt := range []struct{ name, method, path, doc, want string }{
		{"a type without anything", "POST", "/service-types", `{"data":{"type":"service-types","attributes":{}}}`, "name - can't be blank; provisioning-class - can't be blank"},
		{"a type whose name is taken, of a class that is none", "POST", "/service-types", typeDoc("line", "Other", `,"variables":[1]`), "name - has already been taken; provisioning-class - is invalid; variables - must be a JSON object or empty"},
		{"minutes without a duration", "POST", "/service-types", typeDoc("m", "FreeMinutes", `,"variables":{"prefixes":[{"prefix":"48"}]}`), "variables - is invalid"},
		{"a type that services are of", "DELETE", "/service-types/" + typ, ``, "data: Cannot delete record because dependent services exist"},
		{"another class for services that are there", "PATCH", "/service-types/" + typ, `{"data":{"type":"service-types","id":` + typ + `,"attributes":{"provisioning-class":"Billing::Provisioning::FreeMinutes"}}}`, "provisioning-class - can't be changed while services exist"},
		{"a service without anything", "POST", "/services", `{"data":{"type":"services","attributes":{}}}`, "service-type - must exist; account - must exist; initial-price - can't be blank; renew-price - can't be blank"},
		{"a period without a date", "POST", "/services", serviceDoc(acc, typ, `"initial-price":0,"renew-price":1,"renew-period":"Day"`), "renew-at - can't be blank"},
		{"a date without a period", "POST", "/services", serviceDoc(acc, typ, `"initial-price":0,"renew-price":1,"renew-at":"2037-01-01"`), "renew-at - must be blank"},
		{"a period that is none", "POST", "/services", serviceDoc(acc, typ, `"initial-price":0,"renew-price":1,"renew-period":"Year","renew-at":"2037-01-01"`), "renew-period-id - is not included in the list"},
		{"variables that minutes cannot be made of", "POST", "/services", serviceDoc(acc, minutes, `"initial-price":0,"renew-price":1,"variables":{"prefixes":[{"prefix":"4 8","duration":1}]}`), "variables - is invalid"},
		{"a date that is fixed", "PATCH", "/services/" + s, `{"data":{"type":"services","id":` + s + `,"attributes":{"renew-at":"2037-01-01"}}}`, ": renew-at is not allowed."},
		{"services are not deleted", "DELETE", "/services/" + s, ``, "404 Not Found "},
		{"a transaction without anything", "POST", "/transactions", `{"data":{"type":"transactions","attributes":{}}}`, "account - must exist; amount - is not a number"},
		{"a transaction of nothing", "POST", "/transactions", transactionDoc(acc, `"amount":0`, ""), "amount - must be other than 0"},
		{"a transaction for somebody else's service", "POST", "/transactions", transactionDoc(other, `"amount":1`, s), "service - belongs to different account"},
		{"a transaction for a service that is not there", "POST", "/transactions", transactionDoc(acc, `"amount":1`, "99"), "service - must exist"},
		{"a payment is no transaction", "GET", "/transactions/" + r.paid(acc, "5"), ``, "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := r.admin(tt.method, tt.path, tt.doc)
			if tt.want == "404" && got.StatusCode == 404 {
				return
			}
			if got.details() != tt.want {
				t.Errorf("%s %s %s\n got %s\nwant %s", tt.method, tt.path, tt.doc, got.details(), tt.want)
			}
		})
	}
	r.sound()
}

func transactionDoc(account, attrs, service string) string {
	rel := ""
	if service != "" {
		rel = `,"service":{"data":{"type":"services","id":` + service + `}}`
	}
	return `{"data":{"type":"transactions","attributes":{` + attrs + `},"relationships":{"account":{"data":{"type":"accounts","id":` + account + `}}` + rel + `}}}`
}

// paid pays into an account and returns the number of the posting.
func (r *rig) paid(account, amount string) string {
	r.t.Helper()
	id := r.create("/payments", `{"data":{"type":"payments","attributes":{"amount":"`+amount+`"},"relationships":{"account":{"data":{"type":"accounts","id":`+account+`}}}}}`)
	posting := ""
	r.must(r.db.View(context.Background(), func(tx *storage.Tx) error {
		p, err := tx.Payments.Get(number(r.t, id))
		if err == nil {
			posting = decimal(p.Posting)
		}
		return err
	}))
	return posting
}

func TestAServiceIsShownAndChargedOnce(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "one", "")
	typ := r.create("/service-types", typeDoc("line", "Logging", ""))
	made := r.admin("POST", "/services", serviceDoc(acc, typ, `"name":"DSL","initial-price":"1.25","renew-price":"-2","variables":{"x":{"y":1}}`))
	id := "1"
	self := r.base + AdminBase + "/services/" + id
	uuid := strings.Trim(r.attribute("/services/"+id, "uuid"), `"`)
	want := `{"data":{"id":"1","type":"services","links":{"self":"` + self + `"},"attributes":{"name":"DSL","variables":{"x":{"y":1}},"state":"Active","initial-price":"1.25","renew-price":"-2.0",` +
		`"created-at":"2026-11-21T12:00:00.123Z","renew-at":null,"renew-period":"Disabled","uuid":"` + uuid + `"},"relationships":{` +
		`"account":{"links":{"self":"` + self + `/relationships/account","related":"` + self + `/account"},"data":{"type":"accounts","id":"` + acc + `"}},` +
		`"service-type":{"links":{"self":"` + self + `/relationships/service-type","related":"` + self + `/service-type"}},` +
		`"transactions":{"links":{"self":"` + self + `/relationships/transactions","related":"` + self + `/transactions"}},` +
		`"package-counters":{"links":{"self":"` + self + `/relationships/package-counters","related":"` + self + `/package-counters"}}}}}`
	if made.StatusCode != 201 || made.body != want {
		t.Errorf("created %d\n got %s\nwant %s", made.StatusCode, made.body, want)
	}
	if got, want := r.attribute("/accounts/"+acc, "balance"), `"-1.25"`; got != want {
		t.Errorf("balance = %s, want %s", got, want)
	}
	r.create("/transactions", transactionDoc(acc, `"amount":"-0.25","description":"good will"`, id))
	if got, want := r.attribute("/accounts/"+acc, "balance"), `"-1.0"`; got != want {
		t.Errorf("balance = %s, want %s", got, want)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"all", "/transactions?sort=amount", "2,1 of 2"},
		{"of the account", "/transactions?filter[account_id_eq]=" + acc, "1,2 of 2"},
		{"of the service", "/transactions?filter[service_id_eq]=" + id + "&sort=-id", "2,1 of 2"},
		{"of another", "/transactions?filter[service_id_eq]=9", " of 0"},
		{"by amount", "/transactions?filter[amount_gt]=0", "1 of 1"},
		{"below the service", "/services/1/transactions", "1,2 of 2"},
		{"services by period (quirk Q9)", "/services?filter[renew_period_eq]=Disabled", "1 of 1"},
		{"services of the account", "/services?filter[account_id_eq]=" + acc + "&filter[type_id_eq]=" + typ, "1 of 1"},
		{"services by a sort that is none", "/services?sort=renew-period", "error 114"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("GET", brackets.Replace(tt.path), "").listed(t); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
	r.sound()
}

func TestServicesAreRenewed(t *testing.T) {
	for _, tt := range []struct {
		name, account, typ, attrs string
		paid                      string
		waits                     []time.Duration
		want                      string // state, renew-at, balance
	}{
		{"at the date, until the next midnight of the account's zone", `,"timezone":"Europe/Kyiv"`, "", `"initial-price":0,"renew-price":2,"renew-period":"Day","renew-at":"2026-11-21T12:30:00Z"`, "10", []time.Duration{time.Hour, time.Minute}, "Active 2026-11-21T22:00:00.000Z 8.0"},
		{"by the month", "", "", `"initial-price":0,"renew-price":2,"renew-period":"Month","renew-at":"2026-11-21T12:30:00Z"`, "10", []time.Duration{time.Hour}, "Active 2026-12-01T00:00:00.000Z 8.0"},
		{"not before the date", "", "", `"initial-price":0,"renew-price":2,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{time.Hour}, "Active 2026-11-22T00:00:00.000Z 10.0"},
		{"as often as was missed", "", "", `"initial-price":0,"renew-price":2,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{72 * time.Hour}, "Active 2026-11-25T00:00:00.000Z 4.0"},
		{"once for all that lies before the service", "", "", `"initial-price":0,"renew-price":2,"renew-period":"Day","renew-at":"2020-01-01"`, "10", []time.Duration{time.Minute}, "Active 2026-11-22T00:00:00.000Z 8.0"},
		{"down to the least balance", "", "", `"initial-price":0,"renew-price":10,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{24 * time.Hour}, "Active 2026-11-23T00:00:00.000Z 0.0"},
		{"not below it", "", "", `"initial-price":0,"renew-price":"10.01","renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{24 * time.Hour, 24 * time.Hour}, "Suspended 2026-11-22T00:00:00.000Z 10.0"},
		{"whatever the balance, when the type says so", "", `,"force-renew":true`, `"initial-price":0,"renew-price":11,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{24 * time.Hour}, "Active 2026-11-23T00:00:00.000Z -1.0"},
		{"a credit up to the most", `,"max-balance":11`, "", `"initial-price":0,"renew-price":-1,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{24 * time.Hour, 24 * time.Hour}, "Suspended 2026-11-23T00:00:00.000Z 11.0"},
		{"for nothing", "", "", `"initial-price":0,"renew-price":0,"renew-period":"Day","renew-at":"2026-11-22"`, "10", []time.Duration{24 * time.Hour}, "Active 2026-11-23T00:00:00.000Z 10.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			acc := r.account(r.contractor("Northfield"), "one", tt.account)
			r.paid(acc, tt.paid)
			s := r.create("/services", serviceDoc(acc, r.create("/service-types", typeDoc("line", "Logging", tt.typ)), tt.attrs))
			for _, d := range tt.waits {
				r.later(d)
				if _, err := ops.RenewServices(t.Context(), r.env()); err != nil {
					t.Fatal(err)
				}
			}
			path := "/services/" + s
			got := strings.ReplaceAll(r.attribute(path, "state")+" "+r.attribute(path, "renew-at")+" "+r.attribute("/accounts/"+acc, "balance"), `"`, "")
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			r.sound()
		})
	}
}

func TestASuspendedServiceGoesOnWhenItIsPaid(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "one", "")
	s := r.create("/services", serviceDoc(acc, r.create("/service-types", typeDoc("line", "Logging", "")), `"initial-price":0,"renew-price":2,"renew-period":"Day","renew-at":"2026-11-22"`))
	renew := func() int {
		t.Helper()
		n, err := ops.RenewServices(t.Context(), r.env())
		r.must(err)
		return n
	}
	r.later(36 * time.Hour)
	if n := renew(); n != 0 || r.attribute("/services/"+s, "state") != `"Suspended"` {
		t.Errorf("without money %d renewed, state %s", n, r.attribute("/services/"+s, "state"))
	}
	r.later(72 * time.Hour)
	r.paid(acc, "10")
	if n := renew(); n != 1 || r.attribute("/services/"+s, "state") != `"Active"` {
		t.Errorf("with money %d renewed, state %s; want the days of suspension for nothing", n, r.attribute("/services/"+s, "state"))
	}
	if n := renew(); n != 0 {
		t.Errorf("at once again %d renewed, want 0", n)
	}
	if got, want := r.attribute("/accounts/"+acc, "balance")+r.attribute("/services/"+s, "renew-at"), `"8.0""2026-11-27T00:00:00.000Z"`; got != want {
		t.Errorf("balance and date = %s, want %s", got, want)
	}
	r.sound()
}

func TestFreeMinutesAreFilledAgain(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "one", "")
	typ := r.create("/service-types", typeDoc("minutes", "FreeMinutes", `,"variables":{"prefixes":[{"prefix":"48","duration":60},{"prefix":"49","duration":90,"exclude":true},{"prefix":"44","duration":30}]}`))
	s := r.create("/services", serviceDoc(acc, typ, `"initial-price":0,"renew-price":0,"renew-period":"Day","renew-at":"2026-11-22","variables":{"prefixes":[{"prefix":"44","duration":45}],"ignore_prefixes":["49"]}`))
	counters := func() string {
		var all []string
		r.must(r.db.View(t.Context(), func(tx *storage.Tx) error {
			return tx.CountersOf(number(t, s), func(c *rating.PackageCounter) (bool, error) {
				all = append(all, fmt.Sprintf("%s:%d:%t", c.Prefix, c.Duration, c.Exclude))
				return true, nil
			})
		}))
		return strings.Join(all, " ")
	}
	if got, want := counters(), "48:60:false 44:45:false"; got != want {
		t.Errorf("made %s, want %s", got, want)
	}
	if a := r.admin("PATCH", "/services/"+s, `{"data":{"type":"services","id":`+s+`,"attributes":{"variables":{"ignore_prefixes":["48"]}}}}`); a.StatusCode != 200 {
		t.Fatalf("changed: %s", a.body)
	}
	r.update(func(tx *storage.Tx) error {
		c, err := tx.PackageCounters.Get(2)
		if err != nil {
			return err
		}
		c.Duration = 1
		return tx.PackageCounters.Put(c)
	})
	r.later(24 * time.Hour)
	_, err := ops.RenewServices(t.Context(), r.env())
	r.must(err)
	if got, want := counters(), "44:30:false 49:90:true"; got != want {
		t.Errorf("renewed %s, want %s", got, want)
	}
	if got, want := r.admin("GET", "/package-counters?filter%5Bservice.id%5D="+s+"&filter%5Baccount.id%5D="+acc+"&sort=prefix", "").listed(t), "2,3 of 2"; got != want {
		t.Errorf("counters = %s, want %s", got, want)
	}
	r.sound()
}

func TestACustomerSeesItsOwnServicesAndTransactions(t *testing.T) {
	r := newRig(t)
	con, stranger := r.contractor("Northfield"), r.contractor("Stranger")
	acc := r.account(con, "one", "")
	typ := r.create("/service-types", typeDoc("line", "Logging", ""))
	s := r.create("/services", serviceDoc(acc, typ, `"name":"DSL","initial-price":"1.25","renew-price":2`))
	r.wait(time.Second)
	r.create("/transactions", transactionDoc(acc, `"amount":"1.5","description":"adj"`, ""))
	uuid := strings.Trim(r.attribute("/services/"+s, "uuid"), `"`)
	first, second := strings.Trim(r.attribute("/transactions/1", "uuid"), `"`), strings.Trim(r.attribute("/transactions/2", "uuid"), `"`)
	mine, theirs := r.customer(con, ""), r.customer(stranger, "")
	for _, tt := range []struct{ name, token, path, want string }{
		{"services", mine, "/services", uuid + " of 1"},
		{"services of others", theirs, "/services", " of 0"},
		{"transactions, newest first", mine, "/transactions", second + "," + first + " of 2"},
		{"transactions of others", theirs, "/transactions", " of 0"},
		{"transactions of the service", mine, "/transactions?filter[service_id_eq]=" + uuid, first + " of 1"},
		{"transactions below the service", mine, "/services/" + uuid + "/transactions", first + " of 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.own(tt.token, brackets.Replace(tt.path)).listed(t); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
	self := r.base + CustomerBase + "/services/" + uuid
	want := `{"data":{"id":"` + uuid + `","type":"services","links":{"self":"` + self + `"},"attributes":{"name":"DSL","state":"Active","initial-price":"1.25","renew-price":"2.0",` +
		`"created-at":"2026-11-21T12:00:00.123Z","renew-at":null,"renew-period":"Disabled","service-type":"line","ui-type":null},"relationships":{` +
		`"account":{"links":{"self":"` + self + `/relationships/account","related":"` + self + `/account"}},` +
		`"transactions":{"links":{"self":"` + self + `/relationships/transactions","related":"` + self + `/transactions"}}}}}`
	if got := r.own(mine, "/services/"+uuid).body; got != want {
		t.Errorf("document\n got %s\nwant %s", got, want)
	}
	for path, want := range map[string]string{"/transactions/" + second + "/service": `{"data":null}`, "/transactions/" + first + "/relationships/service": `"id":"` + uuid + `"`} {
		if got := r.own(mine, path).body; !strings.Contains(got, want) {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	for _, path := range []string{"/services/" + uuid, "/transactions/" + first} {
		if got := r.own(theirs, path).StatusCode; got != 404 {
			t.Errorf("a foreign %s = %d, want 404", path, got)
		}
	}
}

func TestAScheduledRateIsApplied(t *testing.T) {
	r := newRig(t)
	d := r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"48","initial-rate":"0.5","next-rate":"0.5"`, "1"))
	doc := func(attrs, destination string) string {
		return `{"data":{"type":"destination-next-rates","attributes":{` + attrs + `},"relationships":{"destination":{"data":{"type":"destinations","id":` + destination + `}}}}}`
	}
	const terms = `"next-rate":"0.25","initial-rate":"0.3","initial-interval":60,"next-interval":6,"connect-fee":"0.01"`
	for _, tt := range []struct{ name, doc, want string }{
		{"everything is required", `{"data":{"type":"destination-next-rates","attributes":{}}}`, "destination - must exist; next-rate - can't be blank; next-rate - is not a number; initial-rate - can't be blank; initial-rate - is not a number; initial-interval - can't be blank; initial-interval - is not a number; next-interval - can't be blank; next-interval - is not a number; connect-fee - can't be blank; connect-fee - is not a number; apply-time - can't be blank"},
		{"the destination exists", doc(terms+`,"apply-time":"2026-11-22"`, "99"), "destination - must exist"},
		{"an interval has a second", doc(`"next-rate":1,"initial-rate":1,"initial-interval":0,"next-interval":32768,"connect-fee":0,"apply-time":"2026-11-22"`, d), "initial-interval - must be greater than 0; next-interval - must be less than or equal to 32767"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/destination-next-rates", tt.doc).details(); got != tt.want {
				t.Errorf("details = %s, want %s", got, tt.want)
			}
		})
	}
	n := r.create("/destination-next-rates", doc(terms+`,"apply-time":"2026-11-21T13:00:00Z","external-id":7`, d))
	later := r.create("/destination-next-rates", doc(terms+`,"apply-time":"2026-11-23"`, d))
	apply := func() int {
		t.Helper()
		done, err := ops.ApplyNextRates(t.Context(), r.env())
		r.must(err)
		return done
	}
	if got := apply(); got != 0 {
		t.Errorf("before the time %d applied, want 0", got)
	}
	r.later(time.Hour)
	if got := apply(); got != 1 {
		t.Errorf("at the time %d applied, want 1", got)
	}
	if got, want := r.attribute("/destinations/"+d, "initial-rate")+r.attribute("/destinations/"+d, "next-interval")+r.attribute("/destinations/"+d, "connect-fee"), `"0.3"6"0.01"`; got != want {
		t.Errorf("the rate has %s, want %s", got, want)
	}
	r.must(r.db.View(t.Context(), func(tx *storage.Tx) error {
		m, ok := tx.PricedDeck(1).Index.Match("48221", tx.Now().UnixMilli(), rating.Outbound)
		if !ok || decimal(m.Rate) != d {
			t.Errorf("calls match rate %d, want %s", m.Rate, d)
		}
		return nil
	}))
	for path, want := range map[string]string{"/destination-next-rates?filter[applied_eq]=true": n + " of 1", "/destinations/" + d + "/destination-next-rates": n + "," + later + " of 2", "/destination-next-rates?filter[external_id]=7": n + " of 1"} {
		if got := r.admin("GET", brackets.Replace(path), "").listed(t); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	if a := r.admin("DELETE", "/destinations/"+d, ""); a.StatusCode != 204 {
		t.Fatalf("delete = %d %s", a.StatusCode, a.body)
	}
	if got, want := r.admin("GET", "/destination-next-rates", "").listed(t), " of 0"; got != want {
		t.Errorf("changes of a rate that is deleted = %s, want %s", got, want)
	}
	r.sound()
}
