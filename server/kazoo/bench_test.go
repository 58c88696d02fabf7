package kazoo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// forest makes n accounts below one, a hundred to a parent, each with two devices that nobody counted yet.
func (s *server) forest(top string, n int) {
	s.t.Helper()
	var parents []rating.AccountID
	parents = append(parents, s.byID(top).ID)
	for made := 0; made < n; {
		batch := min(1000, n-made)
		s.update(func(tx *storage.Tx) error {
			for i := range batch {
				number := made + i
				a := &rating.Account{Name: fmt.Sprint("Leaf ", number), Parent: parents[number/100], Timezone: "UTC", Currency: tx.Settings().Currency}
				if err := tx.CreateTenant(a); err != nil {
					return err
				}
				parents = append(parents, a.ID)
				for _, doc := range []string{`{"name":"desk","device_type":"sip_device","enabled":true,"sip":{"username":"u"}}`, `{"name":"hall","device_type":"ata","enabled":true}`} {
					if err := tx.Objects.Put(&storage.Object{UUID: rating.NewUUID(tx.Now()), Account: a.ID, Type: "devices", Doc: json.RawMessage(doc), CreatedAt: tx.Now()}); err != nil {
						return err
					}
				}
			}
			return nil
		})
		made += batch
	}
}

// BenchmarkQuote is a quote over HTTP of a plan of 200 items, all counting descendants, for an account
// with 10,000 of them.
func BenchmarkQuote(b *testing.B) {
	s := newServer(b)
	id, token := s.tenant(s.master, "Northfield")
	s.forest(id, 10_000)
	s.want(200, "POST", "/v2/accounts/"+id+"/services/reconciliation", s.token, "")
	var items []string
	for i := range 199 {
		items = append(items, fmt.Sprintf(`"kind_%d":{"rate":%d.25,"rates":{"10":5,"100":4,"1000":3},"minimum":%d,"cascade":true,"discounts":{"cumulative":{"maximum":10,"rate":0.5}}}`, i, i+6, i%7))
	}
	items = append(items, `"ata":{"rate":2,"cascade":true}`)
	p := s.plan(s.master, `{"name":"Wide","plan":{"devices":{`+strings.Join(items, ",")+`}}}`)
	body := `{"data":{"plans":["` + p + `"]}}`
	b.ReportAllocs()
	for b.Loop() {
		r := s.call("POST", "/v2/accounts/"+id+"/services/quote", token, body)
		if r.status != 200 || r.text("data.quantities.cascade.devices.ata") != "10000" {
			b.Fatalf("quote = %d %.300s, want 10000 adapters below", r.status, r.raw)
		}
	}
}

// BenchmarkReconcile is a reconciliation over HTTP of an account with 10,000 below it, whose counts are
// right, and all wrong.
func BenchmarkReconcile(b *testing.B) {
	for _, tt := range []struct {
		name  string
		drift bool
	}{{"without drift", false}, {"all drifted", true}} {
		b.Run(tt.name, func(b *testing.B) {
			s := newServer(b)
			id, _ := s.tenant(s.master, "Northfield")
			s.forest(id, 9_999)
			p := s.plan(s.master, `{"name":"Devices","plan":{"devices":{"_all":{"rate":2,"cascade":true}}}}`)
			s.want(200, "POST", "/v2/accounts/"+id+"/services/"+p, s.token, "")
			path := "/v2/accounts/" + id + "/services/"
			s.want(200, "POST", path+"reconciliation", s.token, "")
			b.ReportAllocs()
			for b.Loop() {
				if tt.drift {
					b.StopTimer()
					s.drift(id)
					b.StartTimer()
				}
				if r := s.call("POST", path+"reconciliation", s.token, ""); r.status != 200 {
					b.Fatalf("reconciliation = %d %s", r.status, r.raw)
				}
			}
			if got := s.want(200, "GET", path+"summary", s.token, "").at("data.quantities.cascade"); got != `{"devices":{"ata":9999,"sip_device":9999}}` {
				b.Errorf("cascade = %s, want two devices an account", got)
			}
		})
	}
}

// drift makes what was counted of an account and of all below it wrong.
func (s *server) drift(id string) {
	s.t.Helper()
	s.update(func(tx *storage.Tx) error {
		var all []*rating.Account
		err := tx.Descendants(s.byIDIn(tx, id).ID, func(a *rating.Account) (bool, error) {
			all = append(all, a)
			return true, nil
		})
		if err != nil {
			return err
		}
		for _, a := range all {
			sv, err := tx.ServicesOf(a.ID)
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
}

// BenchmarkAuditSummary is a summary over HTTP of a year in which 100,000 audits of three items were
// written.
func BenchmarkAuditSummary(b *testing.B) {
	s := newServer(b)
	id, token := s.tenant(s.master, "Northfield")
	a := s.byID(id)
	const audits = 100_000
	year := 360 * 24 * time.Hour
	for done := 0; done < audits; done += 5_000 {
		s.update(func(tx *storage.Tx) error {
			for i := done; i < done+5_000; i++ {
				row := &storage.ServiceAudit{Account: a.ID, Name: a.Name, At: testClock.Add(-year + year/audits*time.Duration(i)), Status: "completed", From: id,
					Summary: json.RawMessage(`{"today":0,"recurring":1}`), Invoice: json.RawMessage(`{"items":[]}`), Bookkeeper: plan.Bookkeeper{ID: "default_bookkeeper"}}
				for _, name := range []string{"sip_device", "did_us", "user"} {
					row.Days = append(row.Days, storage.ServiceDay{Name: name, Difference: int64(i%3) - 1, Billable: int64(i)})
				}
				if err := tx.ServiceAudits.Put(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	to := seconds(testClock)
	path := fmt.Sprintf("/v2/accounts/%s/services/audit_summary?created_from=%d&created_to=%d", id, to-31_536_000, to)
	b.ReportAllocs()
	for b.Loop() {
		r := s.call("GET", path, token, "")
		if r.status != 200 || r.at("data.user.359") == "absent" {
			b.Fatalf("summary = %d %.300s, want 360 days of users", r.status, r.raw)
		}
	}
	b.ReportMetric(audits, "audits")
}
