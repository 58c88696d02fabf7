package storage

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// describe says where a number belongs, as country code and network name.
func (n *Numbering) describe(p Place, ok bool) string {
	if !ok {
		return "none"
	}
	country, network := "--", "none"
	if c := n.Country(p.Country); c != nil {
		country = c.ISO2
	}
	if v := n.Network(p.Network); v != nil {
		network = v.Name
	}
	return country + " " + network
}

func TestANewStoreKnowsWhoseNumbersAre(t *testing.T) {
	plan := openSample(t).Numbering()
	for _, tt := range []struct{ number, want string }{
		{"447781123456", "GG Guernsey Mobile"},
		{"+442079460000", "GB United Kingdom Fixed"},
		{"00442079460000", "GB United Kingdom Fixed"},
		{"18005550100", "-- North America Toll-Free"},
		{"12345", "none"},
		{"07700900123", "none"},
		{"", "none"},
	} {
		if got := plan.describe(plan.Number(tt.number)); got != tt.want {
			t.Errorf("Number(%q) = %s, want %s", tt.number, got, tt.want)
		}
	}
	for _, tt := range []struct{ prefix, want string }{
		{"1", "US United States"},
		{"7", "RU Russia"},
		{"77", "KZ Kazakhstan"},
		{"+49", "DE Germany"},
		{"0049151", "DE Germany Mobile"},
		{"VIP", "none"},
		{"4", "none"},
		{"", "none"},
	} {
		if got := plan.describe(plan.Prefix(tt.prefix)); got != tt.want {
			t.Errorf("Prefix(%q) = %s, want %s", tt.prefix, got, tt.want)
		}
	}
	if got := plan.ISO2("4420"); got != "GB" {
		t.Errorf("ISO2(4420) = %q, want GB", got)
	}
	if got := plan.ISO2("1800"); got != "" {
		t.Errorf("ISO2(1800) = %q, want none", got)
	}
}

// reopenable is a store that can be closed and opened again.
func reopenable(t *testing.T) (open func() *DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "billd.db")
	var db *DB
	t.Cleanup(func() { db.Close() })
	return func() *DB {
		t.Helper()
		if db != nil {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		e, err := openEngine(path, bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		if db, err = Open(context.Background(), e, Options{Now: func() time.Time { return testClock }}); err != nil {
			t.Fatal(err)
		}
		return db
	}
}

func TestOpeningAgainLeavesTheNumberPlanAsItsOperatorMadeIt(t *testing.T) {
	open := reopenable(t)
	db := open()
	place, _ := db.Numbering().Prefix("48")
	before := tableSizes(t, db)
	update(t, db, func(tx *Tx) error {
		poland, err := tx.Countries.Get(place.Country)
		if err != nil {
			return err
		}
		poland.Name = "Polska"
		if err := tx.Countries.Put(poland); err != nil {
			return err
		}
		own := &Network{UUID: rating.NewUUID(tx.Now()), Name: "Own network", Type: 3}
		if err := tx.Networks.Put(own); err != nil {
			return err
		}
		if err := tx.PutNetworkPrefix(&NetworkPrefix{Prefix: "4812", Country: poland.ID, Network: own.ID, MaxLength: 15}); err != nil {
			return err
		}
		return tx.NetworkPrefixes.Delete(networkPrefixID("4813"))
	})
	check := func(when string) {
		t.Helper()
		plan := db.Numbering()
		if got := plan.Country(place.Country).Name; got != "Polska" {
			t.Errorf("%s: the country is called %s, want Polska", when, got)
		}
		if got := plan.describe(plan.Number("48121234567")); got != "PL Own network" {
			t.Errorf("%s: 4812 belongs to %s, want PL Own network", when, got)
		}
		if got := plan.describe(plan.Number("48131234567")); got != "PL Poland" {
			t.Errorf("%s: 4813 belongs to %s, want PL Poland", when, got)
		}
	}
	check("after the change")
	db = open()
	check("opened again")
	after := tableSizes(t, db)
	before[1]++ // one network more; one prefix changed and one gone
	before[2]--
	if after != before {
		t.Errorf("countries, networks and prefixes = %v, want %v", after, before)
	}
	clean(t, db)
}

func tableSizes(t *testing.T, db *DB) (n [3]int) {
	t.Helper()
	if err := db.View(context.Background(), func(tx *Tx) error {
		n = [3]int{tx.Countries.Count(), tx.Networks.Count(), tx.NetworkPrefixes.Count()}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnOlderStoreKeepsItsOwnCountriesAndNetworks(t *testing.T) {
	open := reopenable(t)
	db := open()
	var country, other, network uint64
	update(t, db, func(tx *Tx) error { // as a store was before it knew any prefix
		var countries, networks, prefixes []uint64
		tx.Countries.EachSound(func(c *Country) { countries = append(countries, c.ID) })
		tx.Networks.EachSound(func(n *Network) { networks = append(networks, n.ID) })
		tx.NetworkPrefixes.EachSound(func(p *NetworkPrefix) { prefixes = append(prefixes, p.ID) })
		for _, id := range prefixes {
			if err := tx.NetworkPrefixes.Delete(id); err != nil {
				return err
			}
		}
		for _, id := range networks {
			if err := tx.Networks.Delete(id); err != nil {
				return err
			}
		}
		for _, id := range countries {
			if err := tx.Countries.Delete(id); err != nil {
				return err
			}
		}
		if err := tx.Txn.Delete(bMeta, []byte(numberingEdition)); err != nil {
			return err
		}
		polska, germany := &Country{Name: "Polska", ISO2: "PL"}, &Country{Name: "Germany", ISO2: "GE"}
		own := &Network{UUID: rating.NewUUID(tx.Now()), Name: "Germany Mobile", Type: 7}
		if err := tx.Countries.Put(polska); err != nil {
			return err
		}
		if err := tx.Countries.Put(germany); err != nil {
			return err
		}
		if err := tx.Networks.Put(own); err != nil {
			return err
		}
		country, other, network = polska.ID, germany.ID, own.ID
		return tx.NetworkTypes.Delete(4)
	})
	db = open()
	plan := db.Numbering()
	for _, tt := range []struct {
		number           string
		country, network uint64
	}{{"48501234567", country, 0}, {"4915112345678", other, network}, {"995322123456", other, 0}} {
		p, ok := plan.Number(tt.number)
		if !ok || p.Country != tt.country || tt.network != 0 && p.Network != tt.network {
			t.Errorf("Number(%s) = %+v, %t, want country %d, network %d", tt.number, p, ok, tt.country, tt.network)
		}
	}
	if got := plan.Network(network).Type; got != 7 {
		t.Errorf("the operator's network is of type %d now, want 7", got)
	}
	p, _ := plan.Number("443001234567")
	if got := plan.Network(p.Network); got == nil || got.Type <= 7 {
		t.Errorf("United Kingdom National = %+v, want it of a type made anew", got)
	}
	clean(t, db)
}

func TestANumberPlanChangesWithTheCommit(t *testing.T) {
	s := openSample(t)
	p, _ := s.Numbering().Prefix("44")
	s.update(func(tx *Tx) error {
		return tx.PutNetworkPrefix(&NetworkPrefix{Prefix: "449999", Country: p.Country, Network: p.Network, MinLength: 7, MaxLength: 9})
	})
	find := func(number string) string {
		place, ok := s.Numbering().Number(number)
		if !ok {
			return "none"
		}
		var prefix string
		s.view(func(tx *Tx) error {
			row, err := tx.NetworkPrefixes.Get(place.Prefix)
			if err == nil {
				prefix = row.Prefix
			}
			return err
		})
		return prefix
	}
	if got := find("44999912"); got != "449999" {
		t.Errorf("a number of 8 digits is found by %s, want 449999", got)
	}
	if got := find("4499991234"); got != "449" {
		t.Errorf("a number of 10 digits is found by %s, want 449", got)
	}
	s.update(func(tx *Tx) error { return tx.NetworkPrefixes.Delete(networkPrefixID("449999")) })
	if got := find("44999912"); got != "449" {
		t.Errorf("without it the number is found by %s, want 449", got)
	}
	for _, tt := range []struct {
		row  NetworkPrefix
		want string
	}{
		{NetworkPrefix{Prefix: "+44", Network: 1}, `network prefix "+44": want 1 to 15 digits`},
		{NetworkPrefix{Prefix: "44", Network: 1, MinLength: 2, MaxLength: 1}, "network prefix 44: numbers of 2 to 1 digits: want the longest not below the shortest"},
		{NetworkPrefix{Prefix: "44", Network: 99999}, "network 99999 does not exist"},
		{NetworkPrefix{Prefix: "44", Network: 1, Country: 99999}, "country 99999 does not exist"},
	} {
		err := s.Update(context.Background(), func(tx *Tx) error { return tx.PutNetworkPrefix(&tt.row) })
		if err == nil || err.Error() != tt.want {
			t.Errorf("PutNetworkPrefix(%+v) = %v, want %s", tt.row, err, tt.want)
		}
	}
}

// ends says which country and network each end of a call has, by name.
func ends(n *Numbering, c *rating.CDR) string {
	at := func(country, network rating.CDRField) string {
		return n.describe(Place{Country: uint64(c.Int(country)), Network: uint64(c.Int(network))}, c.Has(country) || c.Has(network))
	}
	return at(rating.CDRDstCountryID, rating.CDRDstNetworkID) + " from " + at(rating.CDRSrcCountryID, rating.CDRSrcNetworkID)
}

func TestChargingSaysWhereACallGoesToAndComesFrom(t *testing.T) {
	s := openSample(t)
	at := testClock.Add(-3 * time.Hour)
	own := func(id, to, from string, change func(*rating.Call)) Record {
		r := s.call(at, id, "Northfield", to, 60)
		r.Call.SetText(rating.CDRSrcPrefixRouting, from)
		if change != nil {
			change(r.Call)
		}
		return r
	}
	history := func(c *rating.Call) { c.Rated = true }
	for _, tt := range []struct {
		name string
		call Record
		want string
	}{
		{"both ends", own("g1", "442071838750", "4915112345678", nil), "GB United Kingdom Fixed from DE Germany Mobile"},
		{"an extension calls", own("g2", "447781123456", "1001", nil), "GG Guernsey Mobile from none"},
		{"as received when not routed", own("g3", "442071838750", "", func(c *rating.Call) { c.SetText(rating.CDRSrcPrefixIn, "+12125550100") }), "GB United Kingdom Fixed from US United States"},
		{"what a switch says does not count", own("g4", "442071838750", "", func(c *rating.Call) { c.SetInt(rating.CDRDstCountryID, 1); c.SetInt(rating.CDRSrcNetworkID, 1) }), "GB United Kingdom Fixed from none"},
		{"a call that failed", own("g5", "442071838750", "", func(c *rating.Call) { c.SetInt(rating.CDRDuration, 0) }), "GB United Kingdom Fixed from none"},
		{"history that says nothing", own("g6", "800123456", "33612345678", history), "-- International Freephone from FR France Mobile"},
		{"history that does", own("g7", "442071838750", "33612345678", func(c *rating.Call) { history(c); c.SetInt(rating.CDRDstCountryID, 1) }), "AD none from FR France Mobile"},
		{"what billd exported", own("g8", "442071838750", "", func(c *rating.Call) {
			history(c)
			c.Exported.Known, c.Exported.ID = true, rating.MakeCDRID(at.UnixMilli(), 900)
		}), "none from none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := s.charge([]Record{tt.call})[0]
			if v.Outcome == rating.OutcomeSuspended {
				t.Fatalf("the call is held: %s", v.Detail)
			}
			var got rating.CDR
			s.view(func(tx *Tx) error { return tx.CDR(v.ID, &got) })
			if got := ends(s.Numbering(), &got); got != tt.want {
				t.Errorf("the call goes to %s, want %s", got, tt.want)
			}
		})
	}
	held := own("g9", "999", "4915112345678", func(c *rating.Call) { c.SetInt(rating.CDRDstCountryID, 1) })
	var v rating.Verdict
	s.update(func(tx *Tx) (err error) {
		v, err = rating.Bill(billBook{tx}, held.Call, testClock)
		return err
	})
	if v.Outcome != rating.OutcomeSuspended || held.Call.Int(rating.CDRDstCountryID) != 1 || held.Call.Has(rating.CDRSrcCountryID) {
		t.Errorf("a held call = %v with %s, want it as it came", v.Outcome, ends(s.Numbering(), &held.Call.CDR))
	}
	clean(t, s.DB)
}

func TestReratingLeavesCountriesOnApprovedPaper(t *testing.T) {
	s := openSample(t)
	var own *Network
	s.update(func(tx *Tx) error {
		own = &Network{UUID: rating.NewUUID(tx.Now()), Name: "London", Type: 2}
		if err := tx.Networks.Put(own); err != nil {
			return err
		}
		p, _ := tx.Numbering().Prefix("44")
		return tx.PutNetworkPrefix(&NetworkPrefix{Prefix: "44207", Country: p.Country, Network: own.ID, MaxLength: 15})
	})
	rerateAll(t, s.DB)
	if found := s.faults(); len(found) > 0 {
		t.Errorf("check found %q", found)
	}
	approved, open := map[bool]int{}, map[bool]int{}
	s.view(func(tx *Tx) error {
		return tx.EachCallOf(bCDRCustomer, s.customer.ID, 0, testClock.UnixMilli(), func(c *rating.CDR) (bool, error) {
			if c.Origin == rating.History || c.Text(rating.CDRDstPrefixRouting) != "442071838750" {
				return true, nil
			}
			inv, err := tx.paperOf(s.customer.ID, c)
			if err != nil {
				return false, err
			}
			onLondon := uint64(c.Int(rating.CDRDstNetworkID)) == own.ID
			if inv != nil && inv.State == rating.InvoiceApproved {
				approved[onLondon]++
			} else {
				open[onLondon]++
			}
			return true, nil
		})
	})
	if approved[true] != 0 || approved[false] == 0 || open[false] != 0 || open[true] == 0 {
		t.Errorf("on the new network: %v of approved calls, %v of others; want none of the former and all of the latter", approved, open)
	}
}
