package kazoo

import (
	"fmt"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

// imported puts rates into the default deck as an import does, without Kazoo's ids, and returns their
// numbers.
func (s *server) imported(prefixes ...string) (ids []rating.RateID) {
	s.t.Helper()
	var rates []*rating.Rate
	for _, p := range prefixes {
		r := &rating.Rate{Prefix: p, Terms: rating.Terms{
			First: rating.Step{Seconds: 60, Price: 100_000_000}, Next: rating.Step{Seconds: 60, Price: 100_000_000}}}
		r.Deck = rating.DefaultDeck
		rates = append(rates, r)
	}
	s.update(func(tx *storage.Tx) error {
		d, err := tx.Decks.Get(uint64(rating.DefaultDeck))
		if err != nil {
			return err
		}
		for _, r := range rates {
			r.Gen = d.Generation
		}
		return tx.PutRates(rating.DefaultDeck, rates, "import")
	})
	for _, r := range rates {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestImportedRatesGoByCountryAndPrefix(t *testing.T) {
	s := newServer(t)
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":33,"rate_cost":1,"iso_country_code":"FR"}}`)
	n := s.imported("33", "44", "44", "999999999", "4420")
	for _, tt := range []struct{ name, id, iso string }{
		{"Kazoo's own has the plain id", fmt.Sprintf("FR-33-%d", n[0]), "FR"},
		{"the oldest of a prefix", "GB-44", "GB"},
		{"a younger one brings its number", fmt.Sprintf("GB-44-%d", n[2]), "GB"},
		{"a prefix of no country", "XX-999999999", "absent"},
		{"a longer prefix of a country", "GB-4420", "GB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.want(200, "GET", "/v2/rates/"+tt.id, s.token, "")
			if got, want := r.text("data.id")+" "+r.text("data.iso_country_code"), tt.id+" "+tt.iso; got != want {
				t.Errorf("rate = %s, want %s", got, want)
			}
			if list := s.want(200, "GET", "/v2/rates", s.token, ""); !strings.Contains(string(list.raw), `"`+tt.id+`"`) {
				t.Errorf("list = %s, want %s in it", list.raw, tt.id)
			}
		})
	}
	for _, id := range []string{fmt.Sprintf("GB-44-%d", n[1]), fmt.Sprintf("XX-44-%d", n[1]), "XX-44", "FR-44", "GB-", "-44", "GB-44-18446744073709551616", "GB-4", "GB-44%00x"} {
		t.Run("no rate goes by "+id, func(t *testing.T) {
			s.want(404, "GET", "/v2/rates/"+id, s.token, "")
		})
	}
	if r := s.want(200, "GET", "/v2/rates/number/%2B442071838750", s.token, ""); r.text("data.Rate-ID") != "GB-4420" || r.text("data.Rate-Name") != "GB-4420" {
		t.Errorf("price = %s, want GB-4420", r.raw)
	}
	s.want(409, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":1,"iso_country_code":"GB"}}`)
}

func TestImportedRatesAreChangedAndEnded(t *testing.T) {
	s := newServer(t)
	n := s.imported("44", "44", "4420")
	r := s.want(200, "PATCH", "/v2/rates/GB-44", s.token, `{"data":{"rate_cost":0.2,"iso_country_code":"GB"}}`)
	if r.text("data.id") != "GB-44" || r.text("data.rate_cost") != "0.2" {
		t.Errorf("PATCH = %s, want GB-44 at 0.2", r.raw)
	}
	s.update(func(tx *storage.Tx) error {
		rate, err := tx.Rates.Get(uint64(n[0]))
		if err == nil && (rate.Extra.ISO != "" || rate.KazooID != "" || rate.Terms.First.Price != 200_000_000) {
			t.Errorf("stored = %+v, want only the prices changed", rate)
		}
		return err
	})
	s.want(200, "DELETE", "/v2/rates/GB-44", s.token, "")
	// the younger row is the oldest in force now
	if r := s.want(200, "GET", "/v2/rates/GB-44", s.token, ""); r.text("data.rate_cost") != "0.1" {
		t.Errorf("GET = %s, want the younger row", r.raw)
	}
	// an upload writes over the row of that id and makes it Kazoo's
	s.want(202, "POST", "/v2/rates", s.token, "44,GB,UK,0.5\n4420,GB,London,0.6\n4930,DE,Berlin,0.7\n", "Content-Type", "text/csv")
	list := s.want(200, "GET", "/v2/rates", s.token, "")
	if got := list.text("page_size"); got != "3" {
		t.Errorf("list = %s, want 3 rates", list.raw)
	}
	s.update(func(tx *storage.Tx) error {
		for i, id := range map[int]string{1: "GB-44", 2: "GB-4420"} {
			rate, err := tx.Rates.Get(uint64(n[i]))
			if err != nil {
				return err
			}
			if rate.KazooID != id {
				t.Errorf("rate %d goes by %q, want %s", rate.ID, rate.KazooID, id)
			}
		}
		return nil
	})
	s.sound()
}

func TestAGraceOfOneSecondSurvivesKazoo(t *testing.T) {
	s := newServer(t)
	n := s.imported("44")
	s.update(func(tx *storage.Tx) error {
		r, err := tx.Rates.Get(uint64(n[0]))
		if err != nil {
			return err
		}
		r.Terms.Grace = 1
		return tx.Rates.Put(r)
	})
	s.want(200, "PATCH", "/v2/rates/GB-44", s.token, `{"data":{"rate_nocharge_time":0}}`)
	s.update(func(tx *storage.Tx) error {
		r, err := tx.Rates.Get(uint64(n[0]))
		if err == nil && r.Terms.Grace != 1 {
			t.Errorf("grace = %d, want 1: 0 is how Kazoo shows it", r.Terms.Grace)
		}
		return err
	})
}
