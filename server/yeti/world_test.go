package yeti

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// world is a rig whose store has several records of every resource, with and without every value.
type world struct {
	*rig
	north, south, carrier                    string // contractors
	n1, n2, s1, c1                           string // accounts: two of north's, one of south's, the carrier's
	standard, retail, line                   string // rate plan, rate group, service type
	planUUID, rate, dialpeer, call           string // of the rate plan, a destination, a dialpeer, a call
	all, limited, southern, vendor, operator string // tokens: of north, of its n1, of south, of the carrier, of the operator
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{rig: newRig(t)}
	doc := func(typ, attrs string, rels ...string) string { return linked(typ, attrs, rels...) }
	for i, name := range []string{"smtp-a", "smtp-b"} {
		w.create("/smtp-connections", doc("smtp-connections", fmt.Sprintf(`"name":"%s","host":"mail.example.org","port":%d,"from-address":"a%d@example.org","auth-user":"u","auth-password":"p","global":%t`, name, 25+i, i, i == 0)))
		w.create("/invoice-template", doc("invoice-templates", `"name":"Look `+name+`","filename":"`+name+`.odt"`))
	}
	w.north = w.create("/contractors", doc("contractors", `"name":"Northfield","customer":true,"vendor":true,"description":"a \"b\" c_1","address":"Main St 5%","phones":"+44","external-id":71`, "smtp-connection:smtp-connections:1"))
	w.south = w.create("/contractors", doc("contractors", `"name":"Southgate","customer":true,"enabled":false,"external-id":72`))
	w.carrier = w.create("/contractors", doc("contractors", `"name":"carrier","vendor":true,"phones":"+1"`))
	for i, c := range []string{w.north, w.north, w.south} {
		w.create("/contacts", doc("contacts", fmt.Sprintf(`"email":"Person%d@example.org"`, i)+[]string{"", `,"notes":"writes"`, `,"notes":"Reads"`}[i], "contractor:contractors:"+c))
	}
	w.n1 = w.account(w.north, "north one", `,"min-balance":-100,"max-balance":1000,"vat":23,"balance-low-threshold":1.5,"balance-high-threshold":90,"send-balance-notifications-to":[1],"destination-rate-limit":0.5,"max-call-duration":3600,"external-id":81,"origination-capacity":10,"termination-capacity":11,"total-capacity":12,"send-invoices-to":[1,2],"timezone":"Europe/Kyiv"`)
	w.n2 = w.account(w.north, "north two", `,"vat":7.5,"external-id":82,"total-capacity":3,"invoice-period-id":4`)
	w.s1 = w.account(w.south, "South_1%", `,"min-balance":-5,"balance-low-threshold":3,"balance-high-threshold":9.25,"destination-rate-limit":2,"max-call-duration":60,"external-id":83,"origination-capacity":30,"termination-capacity":31`)
	w.c1 = w.account(w.carrier, "carrier", `,"max-balance":50`)
	w.money()
	w.rates()
	w.calls()
	w.papers()
	w.all, w.limited, w.southern, w.vendor = w.customer(w.north, ""), w.customer(w.north, w.n1), w.customer(w.south, ""), w.customer(w.carrier, "")
	w.operator = w.token
	return w
}

// money makes payments, services, transactions and counters.
func (w *world) money() {
	for i, p := range []struct{ account, attrs string }{{w.n1, `"amount":"12.5","notes":"First"`}, {w.n1, `"amount":-3,"private-notes":"back"`}, {w.n2, `"amount":7,"notes":"second","private-notes":"Cash"`}, {w.s1, `"amount":"0.25","notes":"first"`}} {
		w.wait(time.Duration(i+1) * time.Millisecond)
		w.create("/payments", linked("payments", p.attrs, "account:accounts:"+p.account))
	}
	w.update(func(tx *storage.Tx) error { // one that came from elsewhere and was taken back
		p, err := tx.Payments.Get(1)
		if err != nil {
			return err
		}
		back := *p
		at := tx.Now()
		back.ID, back.UUID, back.Status, back.RolledBackAt = 0, rating.NewUUID(tx.Now()), storage.PaymentRolledBack, &at
		return tx.Payments.Put(&back)
	})
	w.line = w.create("/service-types", typeDoc("line", "Logging", `,"force-renew":true,"variables":{"a":1}`))
	minutes := w.create("/service-types", typeDoc("Minutes", "FreeMinutes", `,"variables":{"prefixes":[{"prefix":"48","duration":60},{"prefix":"49","duration":30,"exclude":true}]}`))
	for i, account := range []string{w.n1, w.n2, w.s1} {
		w.wait(time.Millisecond)
		s := w.create("/services", serviceDoc(account, w.line, fmt.Sprintf(`"name":"DSL %d","initial-price":"1.25","renew-price":%d,"renew-period":"Month","renew-at":"2037-0%d-01"`, i, i, i+1)))
		w.create("/services", serviceDoc(account, minutes, fmt.Sprintf(`"initial-price":0,"renew-price":"-%d.5","variables":{"prefixes":[{"prefix":"4%d","duration":9%d}]}`, i, i, i)))
		w.wait(time.Millisecond)
		w.create("/transactions", transactionDoc(account, fmt.Sprintf(`"amount":"%d.5","description":"Adjusted %d"`, i+1, i), ""))
		w.create("/transactions", transactionDoc(account, `"amount":-1`, s))
	}
}

// rates makes rate plans with their decks, changes of rates, dialpeers and who is charged by which plan.
func (w *world) rates() {
	w.standard = w.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	w.must(w.db.View(context.Background(), func(tx *storage.Tx) error {
		p, err := tx.Plans.Get(number(w.t, w.standard))
		if err == nil {
			w.planUUID = p.UUID.String()
		}
		return err
	}))
	premium := w.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"Premium","profit-control-mode-id":2}}}`)
	group := func(name, plan, attrs string) string {
		return w.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"`+name+`"`+attrs+`},"relationships":{"rateplans":{"data":[{"type":"rateplans","id":"`+plan+`"}]}}}}`)
	}
	w.retail = group("retail", w.standard, `,"external-id":5`)
	wholesale := group("Wholesale", premium, "")
	for i, d := range []struct{ group, attrs string }{
		{w.retail, `"prefix":"48","initial-rate":"0.5","next-rate":"0.25","connect-fee":"0.1","initial-interval":60,"next-interval":6,"external-id":91`},
		{w.retail, `"prefix":"4822","initial-rate":1,"next-rate":2,"enabled":false,"dst-number-min-length":5,"dst-number-max-length":15,"routing-tag-ids":[1,2],"use-dp-intervals":true,"valid-till":"2030-01-01"`},
		{wholesale, `"prefix":"49","initial-rate":3,"next-rate":"0.125","reject-calls":true,"reverse-billing":true,"profit-control-mode-id":2,"rate-policy-id":2,"dp-margin-fixed":"0.01","dp-margin-percent":"0.2","asr-limit":0.5,"acd-limit":2,"short-calls-limit":0.25,"routing-tag-mode-id":1,"external-id":92,"valid-from":"2026-11-01"`},
		{wholesale, `"prefix":"VIP_a","initial-rate":0,"next-rate":0`},
	} {
		id := w.create("/destinations", fmt.Sprintf(destinationDoc, d.attrs, d.group))
		if i == 0 {
			w.rate = id
		}
		w.wait(time.Millisecond)
	}
	next := `"next-rate":"0.%d","initial-rate":"0.3","initial-interval":6%d,"next-interval":6,"connect-fee":"0.0%d","apply-time":"2036-11-2%d","applied":%t`
	for i := range 3 {
		w.wait(time.Second)
		w.dialpeer = w.create("/dialpeers", dialpeerDoc(w.carrier, w.c1, fmt.Sprintf(`"prefix":"4%d","initial-rate":"0.%d","next-rate":"0.04","capacity":%d,"lcr-rate-multiplier":"1.%d","force-hit-rate":0.%d,"external-id":%d,"enabled":%t,"reverse-billing":%t,"connect-fee":%d`, i, i+1, i+1, i, i, 40+i, i != 1, i == 1, i),
			"routing-group:routing-groups:"+strconv.Itoa(i+1)))
		w.create("/destination-next-rates", linked("destination-next-rates", fmt.Sprintf(next, i+1, i, i, i, i == 0)+`,"external-id":`+strconv.Itoa(i), "destination:destinations:"+w.rate))
		w.create("/dialpeer-next-rates", linked("dialpeer-next-rates", fmt.Sprintf(next, i+1, i, i, i, i == 1), "dialpeer:dialpeers:"+w.dialpeer))
	}
	w.create("/dialpeers", dialpeerDoc(w.carrier, w.c1, vendorPrices+`,"dst-number-min-length":3,"dst-number-max-length":9,"initial-interval":5,"next-interval":7`))
	w.create("/customers-auths", authDoc(w.north, w.n1, w.standard, `"name":"gw one","ip":["10.0.0.1"],"capacity":5,"cps-limit":0.5,"external-id":61,"external-type":"pbx","reject-calls":true,"allow-receive-rate-limit":true`))
	w.create("/customers-auths", authDoc(w.north, w.n2, premium, `"name":"GW two","ip":["10.0.0.2","10.0.0.3"],"src-prefix":["1"],"dst-prefix":["2","3"],"enabled":false,"check-account-balance":false,"send-billing-information":true`))
	w.create("/customers-auths", authDoc(w.south, w.s1, premium, `"name":"gw south","ip":["10.0.0.4"],"cps-limit":20,"external-id":62`))
}

// calls makes calls that have every column, some of them and none.
func (w *world) calls() {
	fill := func(i int) func(*rating.Call) {
		return func(c *rating.Call) {
			c.SetText(rating.CDRCallID, "call-"+strconv.Itoa(i))
			c.SetText(rating.CDRLocalTag, "Tag-"+strconv.Itoa(i))
			if i > 5 {
				return // every other column is null
			}
			for f := range rating.CDRField(rating.NumCDRFields) {
				if c.Has(f) || f == rating.CDRUUID || f == rating.CDRSource {
					continue
				}
				switch f.Kind() {
				case rating.KindText:
					c.SetText(f, fmt.Sprintf("%s %d_%%", strings.ToUpper(f.Name()[:3])+f.Name()[3:], i%3))
				case rating.KindInet:
					c.SetText(f, fmt.Sprintf("10.0.%d.%d", i%3, int(f)))
				case rating.KindInts:
					c.SetText(f, fmt.Sprintf("[%d]", i))
				case rating.KindJSON:
					c.SetText(f, fmt.Sprintf(`{"n":%d}`, i))
				case rating.KindBool:
					c.SetBool(f, i%2 == 0)
				case rating.KindTime:
					c.SetTime(f, c.Time(rating.CDRTimeStart).Add(time.Duration(i)*time.Second))
				default:
					c.SetInt(f, int64(i%3+1))
				}
			}
			c.SetBool(rating.CDRIsLastCDR, i != 4)
			c.SetInt(rating.CDRDstCountryID, int64(i%2+1))
		}
	}
	at := w.now().Add(-3 * time.Hour)
	for i, c := range []struct{ account, vendor string }{{w.n1, w.c1}, {w.n2, w.c1}, {w.s1, w.n1}, {w.n1, w.s1}, {w.s1, w.c1}, {w.n1, ""}, {w.n2, w.n1}, {w.s1, w.n2}, {w.c1, w.s1}} {
		w.history(c.account, c.vendor, at.Add(time.Duration(i)*time.Minute), fill(i))
	}
	w.call = w.history(w.n1, w.c1, at.Add(-48*time.Hour), fill(9))
}

// papers makes invoices of three states with their lines, and exports.
func (w *world) papers() {
	w.later(5 * time.Hour)
	today := [2]string{"2026-11-21T00:00:00Z", "2026-11-21T16:00:00Z"}
	for _, i := range []struct{ account, from, till string }{{w.n1, "2026-09-01", "2026-10-01"}, {w.n1, today[0], today[1]}, {w.s1, today[0], today[1]}, {w.c1, today[0], today[1]}, {w.s1, "2026-08-01", "2026-08-09"}} {
		w.create("/invoices", fmt.Sprintf(invoiceDoc, i.from, i.till, i.account))
	}
	if _, err := w.db.FillNew(w.t.(*testing.T).Context()); err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *storage.Tx) error {
		for _, id := range []uint64{1, 2, 3, 4, 5} {
			if _, err := tx.ApproveInvoice(id); err != nil {
				return err
			}
		}
		return nil
	})
	w.create("/invoices", fmt.Sprintf(invoiceDoc, "2026-07-01", "2026-07-09", w.s1))
	const span = `"time_start_gteq":"2026-11-01","time_start_lt":"2026-12-01"`
	w.create("/cdr-exports", exportDoc(`"fields":["id","duration"],"callback-url":"http://127.0.0.1:1/","filters":{`+span+`}`, ""))
	w.create("/cdr-exports", exportDoc(`"fields":["id"],"filters":{`+span+`,"success_eq":true}`, ""))
	for i, c := range []struct{ contractor, account string }{{w.north, w.n1}, {w.north, w.n2}, {w.south, w.s1}} {
		token := w.dynamic(tokenDoc(c.contractor, "", ""))
		zone := []string{"", `,"time-zone-name":"Europe/Kyiv","time-format":"round_to_seconds"`, `,"time-zone-name":"UTC"`}[i]
		a := w.do("POST", CustomerBase+"/cdr-exports", exportDoc(`"filters":{`+span+`}`+zone, w.uuid(c.account)), map[string]string{"Authorization": token})
		if a.StatusCode != 201 {
			w.t.Fatalf("export = %d %s", a.StatusCode, a.body)
		}
		w.wait(time.Second)
		if i == 1 {
			w.export()
		}
	}
	if a := w.admin("DELETE", "/cdr-exports/2", ""); a.StatusCode != 204 {
		w.t.Fatalf("delete = %d %s", a.StatusCode, a.body)
	}
}

// uuid returns the UUID that a customer knows an account by.
func (w *world) uuid(account string) string {
	return strings.Trim(w.attribute("/accounts/"+account, "uuid"), `"`)
}

// surface is one API as one caller sees it.
type surface struct {
	name, base, token string
	tables            []jsonapi.Described
}

// surfaces are both APIs with the resources that they declare.
func (w *world) surfaces() []surface {
	return []surface{
		{"admin", AdminBase, w.operator, w.api.admin.Describe()},
		{"customer", CustomerBase, w.all, w.api.customer.Describe()},
	}
}

// shown is one record of a list.
type shown struct {
	ID    string         `json:"id"`
	Attrs map[string]any `json:"attributes"`
	Rels  map[string]struct {
		Data any `json:"data"`
	} `json:"relationships"`
}

// list is a whole document.
type list struct {
	Data []shown `json:"data"`
	Meta struct {
		Total int `json:"total-count"`
	} `json:"meta"`
	Errors []struct{ Title, Detail, Code string } `json:"errors"`
}

// read sends a GET below a surface.
func (w *world) read(s surface, path string) (answer, list) {
	w.t.Helper()
	a := w.do("GET", s.base+path, "", map[string]string{"Authorization": s.token, "Content-Type": ""})
	var l list
	if a.body != "" && strings.HasPrefix(a.body, `{"data":[`) || strings.HasPrefix(a.body, `{"errors"`) {
		d := json.NewDecoder(strings.NewReader(a.body))
		d.UseNumber()
		w.must(d.Decode(&l))
	}
	return a, l
}

// everything lists all records of a resource, page after page.
func (w *world) everything(s surface, d jsonapi.Described, query string) []shown {
	w.t.Helper()
	var all []shown
	for page := 1; ; page++ {
		a, l := w.read(s, fmt.Sprintf("/%s?page%%5Bsize%%5D=1000&page%%5Bnumber%%5D=%d%s", d.Paths[0], page, query))
		if a.StatusCode != 200 {
			w.t.Fatalf("%s %s = %d %s", d.Type, query, a.StatusCode, a.body)
		}
		if all = append(all, l.Data...); !d.Paged || len(l.Data) < 1000 {
			if len(all) != l.Meta.Total {
				w.t.Errorf("%s %s: %d records, total-count %d", d.Type, query, len(all), l.Meta.Total)
			}
			return all
		}
	}
}

// since is what makes lists of a customer's calls reach back further than a day.
func since(s surface, d jsonapi.Described) string {
	if s.base == CustomerBase && strings.HasSuffix(d.Type, "cdrs") {
		return "&filter%5Btime_start_gteq%5D=2026-01-01"
	}
	return ""
}
