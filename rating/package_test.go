package rating_test

import (
	"testing"
	"time"

	"billd/rating"
	"billd/rating/ratingtest"
)

func TestMeetCounter(t *testing.T) {
	counters := []*rating.PackageCounter{
		{ID: 1, Prefix: "44", Duration: 60},
		{ID: 2, Prefix: "4420", Duration: 0},
		{ID: 3, Prefix: "4420", Duration: 30},
		{ID: 4, Prefix: "4477", Duration: 600, Exclude: true},
		{ID: 5, Prefix: "49", Duration: -3},
		{ID: 6, Prefix: "49", Duration: 0},
		{ID: 7, Prefix: "4477", Duration: 0},
	}
	for _, tt := range []struct {
		name, number string
		want         uint64
		covers       bool
	}{
		{"the longest prefix is met", "442071838750", 3, true},
		{"a shorter one where no longer one matches", "4433", 1, true},
		{"an excluded prefix hides the shorter one", "447700900000", 4, false},
		{"used up, the first of equals is met", "4930", 5, false},
		{"none", "4822", 0, false},
		{"the number is as long as the prefix", "4420", 3, true},
		{"the number is shorter", "4", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			met, id := rating.MeetCounter(counters, tt.number), uint64(0)
			if met != nil {
				id = met.ID
			}
			if id != tt.want || met.Covers() != tt.covers {
				t.Errorf("%s meets %d, covered %v, want %d, %v", tt.number, id, met.Covers(), tt.want, tt.covers)
			}
		})
	}
}

// packageBook has one account of 20 % VAT, a rate of 60/60 at 0.6 for 44, a reverse-billed one for 4499 and
// one without a price for 800, in a deck of preset p.
func packageBook(t *testing.T, p rating.Preset, counters ...*rating.PackageCounter) *ratingtest.Book {
	t.Helper()
	eur, err := rating.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}
	step := func(price rating.Price) rating.Terms {
		return rating.Terms{ConnectFee: 50_000, First: rating.Step{Seconds: 60, Price: price}, Next: rating.Step{Seconds: 60, Price: price}, Grace: 3}
	}
	index := rating.NewIndexBuilder(0)
	index.Add("44", rating.Entry{Rate: 1, Terms: step(600_000_000)})
	index.Add("4499", rating.Entry{Rate: 2, Terms: step(600_000_000), Reverse: true})
	index.Add("447", rating.Entry{Rate: 3, Terms: step(600_000_000), Blocked: true})
	x, err := index.Build()
	if err != nil {
		t.Fatal(err)
	}
	book := ratingtest.NewBook(rating.Settings{Currency: eur})
	book.AddAccount(&rating.Account{ID: 2, Name: "Northfield", Currency: eur, VAT: 20_000_000, Timezone: "UTC"})
	book.AddToPlan(rating.DefaultPlan, &rating.PricedDeck{ID: 1, Currency: eur, Preset: p, Index: x})
	for _, c := range counters {
		c.Account, c.FilledAt = 2, time.Unix(1_700_000_000, 0)
		book.AddCounter(c)
	}
	return book
}

func TestACoveredCallIsFreeAndTakesItsBilledSeconds(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, number string
		preset       rating.Preset
		seconds      int64
		answered     bool
		left         int64
		exclude      bool
		price        string // of the call, "" for one that is held
		counter      string // column package_counter_id
		after        int64
	}{
		{"whole", "4420", rating.PresetYeti, 61, true, 600, false, "0.0", "1", 480},
		{"one that outlasts the counter is covered whole", "4420", rating.PresetYeti, 61, true, 1, false, "0.0", "1", -119},
		{"nothing left: the rate, with fee and VAT", "4420", rating.PresetYeti, 61, true, 0, false, "1.5", "", 0},
		{"an excluded prefix: the rate", "4420", rating.PresetYeti, 61, true, 600, true, "1.5", "", 600},
		{"in a deck of any preset", "4420", rating.PresetKazoo, 60, true, 600, false, "0.0", "1", 540},
		{"not answered", "4420", rating.PresetYeti, 0, false, 600, false, "0.0", "", 600},
		{"free below the grace", "4420", rating.PresetYeti, 2, true, 600, false, "0.0", "", 600},
		{"reverse-billed, the customer earns", "4499", rating.PresetYeti, 60, true, 600, false, "0.78", "", 600},
		{"a blocked prefix is held all the same", "447", rating.PresetYeti, 60, true, 600, false, "", "", 600},
		{"a number without a rate is held all the same", "49", rating.PresetYeti, 60, true, 600, false, "", "", 600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prefix := "44"
			if tt.number == "49" {
				prefix = "49"
			}
			counter := &rating.PackageCounter{ID: 1, Prefix: prefix, Duration: tt.left, Exclude: tt.exclude}
			book := packageBook(t, tt.preset, counter)
			var call rating.Call
			call.SetTime(rating.CDRTimeStart, now.Add(-time.Hour))
			call.SetInt(rating.CDRDuration, tt.seconds)
			call.SetBool(rating.CDRSuccess, tt.answered)
			call.SetText(rating.CDRDstPrefixRouting, tt.number)
			call.SetText(rating.CDRCallID, "a")
			call.AccountRef = "Northfield"
			for range 2 { // the second delivery is a duplicate and takes nothing
				if _, err := book.Charge(&call, now); err != nil {
					t.Fatal(err)
				}
			}
			if counter.Duration != tt.after {
				t.Errorf("%d s are left, want %d", counter.Duration, tt.after)
			}
			if tt.price == "" {
				if book.Held != 1 {
					t.Errorf("%d held, want 1", book.Held)
				}
				return
			}
			for _, c := range book.CDRs {
				if got := c.Format(rating.CDRCustomerPrice); got != tt.price {
					t.Errorf("price = %s, want %s", got, tt.price)
				}
				if got := c.Format(rating.CDRPackageCounterID); got != tt.counter {
					t.Errorf("package_counter_id = %q, want %q", got, tt.counter)
				}
				if covered := tt.counter != ""; c.Has(rating.CDRDestinationNextRate) == covered || c.Has(rating.CDRDestinationFee) == covered {
					t.Errorf("next rate %q and fee %q: want them null if and only if the call is covered", c.Format(rating.CDRDestinationNextRate), c.Format(rating.CDRDestinationFee))
				}
				if tt.counter != "" && (c.Status != rating.Free || c.Int(rating.CDRCustomerDuration) != tt.left-tt.after || c.Format(rating.CDRCustomerPriceNoVAT) != "0.0") {
					t.Errorf("status %s, %d s billed, net %s, want free, %d and 0.0", c.Status, c.Int(rating.CDRCustomerDuration), c.Format(rating.CDRCustomerPriceNoVAT), tt.left-tt.after)
				}
			}
		})
	}
}

func TestExplainSaysWhatThePackageDoes(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		number  string
		counter rating.PackageCounter
		gross   string
		last    string
	}{
		{"it pays", "4420", rating.PackageCounter{ID: 3, Service: 2, Prefix: "44", Duration: 90}, "0.0", "package counter 3 of service 2, prefix 44: 90 s are left, the call takes 120 s: nothing is charged"},
		{"it is used up", "4420", rating.PackageCounter{ID: 3, Service: 2, Prefix: "44"}, "1.5", "package counter 3 of service 2, prefix 44: nothing is left, so the rate is charged"},
		{"it is excluded", "4420", rating.PackageCounter{ID: 3, Service: 2, Prefix: "44", Duration: 90, Exclude: true}, "1.5", "package counter 3 of service 2, prefix 44: calls to it are excluded from the package, so the rate is charged"},
		{"the customer earns", "4499", rating.PackageCounter{ID: 3, Service: 2, Prefix: "44", Duration: 90}, "1.5", "package counter 3 of service 2, prefix 44: the call takes nothing from it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			book := packageBook(t, rating.PresetYeti)
			payer, err := book.Payer(&rating.Call{AccountRef: "Northfield"})
			if err != nil {
				t.Fatal(err)
			}
			q, err := rating.Explain(payer.Decks, rating.Ask{Number: tt.number, Seconds: 61, At: now, VAT: 20_000_000, Counter: &tt.counter}, book.Settings())
			if err != nil {
				t.Fatal(err)
			}
			if got := q.Charge.Gross.String(); got != tt.gross || q.Charge.Billed != 120 {
				t.Errorf("gross %s of %d s, want %s of 120", got, q.Charge.Billed, tt.gross)
			}
			if got := q.Steps[len(q.Steps)-1].Text; got != tt.last {
				t.Errorf("last step %q, want %q", got, tt.last)
			}
		})
	}
}
