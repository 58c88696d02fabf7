package rating_test

import (
	"testing"
	"time"

	"billd/rating"
	"billd/rating/ratingtest"
)

func TestFollowVendor(t *testing.T) {
	own := rating.Terms{ConnectFee: 100_000, First: rating.Step{Seconds: 60, Price: 500_000_000}, Next: rating.Step{Seconds: 30, Price: 400_000_000}}
	for _, tt := range []struct {
		name           string
		vendorNext     rating.Price
		extra          rating.RateExtra
		first, next    string // prices
		seconds, steps uint32
	}{
		{"its own", 900_000_000, rating.RateExtra{}, "0.5", "0.4", 60, 30},
		{"1 is its own too", 900_000_000, rating.RateExtra{RatePolicy: 1, DPMarginPercent: "1.0"}, "0.5", "0.4", 60, 30},
		{"the vendor's intervals", 900_000_000, rating.RateExtra{UseDPIntervals: true}, "0.5", "0.4", 6, 1},
		{"2: what is not said is twice the vendor's, as Yeti shows a share of 1.0", 200_000_000, rating.RateExtra{RatePolicy: 2}, "0.5", "0.4", 60, 30},
		{"2: the vendor's with nothing on top", 200_000_000, rating.RateExtra{RatePolicy: 2, DPMarginPercent: "0.0"}, "0.25", "0.2", 60, 30},
		{"2: fixed and percent", 200_000_000, rating.RateExtra{RatePolicy: 2, DPMarginFixed: "0.01", DPMarginPercent: "0.1"}, "0.285", "0.23", 60, 30},
		{"2: rounded once, half away from zero", 1, rating.RateExtra{RatePolicy: 2, DPMarginFixed: "0.0000000004", DPMarginPercent: "0.1"}, "0.275", "0.000000002", 60, 30},
		{"2: with the vendor's intervals", 200_000_000, rating.RateExtra{RatePolicy: 2, DPMarginPercent: "0.0", UseDPIntervals: true}, "0.25", "0.2", 6, 1},
		{"3: its own while the vendor is as dear", 400_000_000, rating.RateExtra{RatePolicy: 3, DPMarginPercent: "0.1"}, "0.5", "0.4", 60, 30},
		{"3: the vendor's where it is cheaper", 300_000_000, rating.RateExtra{RatePolicy: 3, DPMarginPercent: "0.1"}, "0.275", "0.33", 60, 30},
		{"4: its own while the vendor is cheaper", 300_000_000, rating.RateExtra{RatePolicy: 4, DPMarginPercent: "0.1"}, "0.5", "0.4", 60, 30},
		{"4: the vendor's where it is as dear", 400_000_000, rating.RateExtra{RatePolicy: 4, DPMarginPercent: "0.1"}, "0.275", "0.44", 60, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vendor := rating.Terms{ConnectFee: 9, First: rating.Step{Seconds: 6, Price: 250_000_000}, Next: rating.Step{Seconds: 1, Price: tt.vendorNext}}
			r := rating.Rate{Terms: own, Extra: tt.extra}
			got, err := r.FollowVendor(&vendor)
			if err != nil {
				t.Fatal(err)
			}
			if got.First.Price.String() != tt.first || got.Next.Price.String() != tt.next || got.First.Seconds != tt.seconds || got.Next.Seconds != tt.steps || got.ConnectFee != own.ConnectFee {
				t.Errorf("%+v, want prices %s and %s, steps %d and %d and the rate's own fee", got, tt.first, tt.next, tt.seconds, tt.steps)
			}
		})
	}
	r := rating.Rate{Terms: own, Extra: rating.RateExtra{RatePolicy: 2, DPMarginPercent: "100000000000000000000"}}
	if _, err := r.FollowVendor(&own); rating.KindOf(err) != rating.Range {
		t.Errorf("a margin beyond all prices: %v, want Range", err)
	}
}

func TestACallIsPricedOnItsVendorsRate(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	eur := rating.Currency{'E', 'U', 'R'}
	for _, tt := range []struct {
		name, vendor   string
		extra          rating.RateExtra
		seconds        int64
		price, policy  string // "" for a call that is held
		profit, reason string
	}{
		{"with a margin", "Carrier", rating.RateExtra{RatePolicy: 2, DPMarginPercent: "0.5"}, 60, "0.3", "2", "0.1", ""},
		{"no vendor is known", "", rating.RateExtra{RatePolicy: 2}, 60, "", "", "", rating.ReasonNoRate},
		{"the vendor has no rate", "Idle", rating.RateExtra{RatePolicy: 4}, 60, "", "", "", rating.ReasonNoRate},
		{"intervals of nobody are the rate's own", "", rating.RateExtra{UseDPIntervals: true}, 61, "1.0", "1", "1.0", ""},
		{"the vendor's intervals", "Carrier", rating.RateExtra{UseDPIntervals: true}, 61, "0.508333", "1", "0.305", ""},
		{"an unanswered call needs no vendor", "", rating.RateExtra{RatePolicy: 2}, 0, "0.0", "1", "0.0", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			deck := func(name string, r *rating.Rate) *rating.PricedDeck {
				index := rating.NewIndexBuilder(1)
				index.Add(r.Prefix, r.Entry())
				x, err := index.Build()
				if err != nil {
					t.Fatal(err)
				}
				return &rating.PricedDeck{Name: name, Currency: eur, Preset: rating.PresetYeti, Index: x}
			}
			rate := &rating.Rate{ID: 1, Prefix: "44", Extra: tt.extra, Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 500_000_000}, Next: rating.Step{Seconds: 60, Price: 500_000_000}}}
			book := ratingtest.NewBook(rating.Settings{Currency: eur})
			for id, name := range []string{2: "Northfield", 3: "Carrier", 4: "Idle"} {
				if name != "" {
					book.AddAccount(&rating.Account{ID: rating.AccountID(id), Name: name, Currency: eur, Timezone: "UTC"})
				}
			}
			book.AddRate(rate)
			book.AddToPlan(rating.DefaultPlan, deck("retail", rate))
			book.AddToVendor(3, deck("carrier", &rating.Rate{ID: 2, Prefix: "442", Terms: rating.Terms{First: rating.Step{Seconds: 1, Price: 200_000_000}, Next: rating.Step{Seconds: 1, Price: 200_000_000}}}))
			var call rating.Call
			call.SetTime(rating.CDRTimeStart, now.Add(-time.Hour))
			call.SetInt(rating.CDRDuration, tt.seconds)
			call.SetText(rating.CDRDstPrefixRouting, "4420")
			call.SetText(rating.CDRCallID, "a")
			call.AccountRef, call.VendorRef = "Northfield", tt.vendor
			v, err := book.Charge(&call, now)
			if err != nil || v.Reason != tt.reason {
				t.Fatalf("reason %q (%s), %v, want %q", v.Reason, v.Detail, err, tt.reason)
			}
			for _, c := range book.CDRs {
				got := c.Format(rating.CDRCustomerPrice) + " " + c.Format(rating.CDRDestinationRatePolicyID) + " " + c.Format(rating.CDRProfit)
				if want := tt.price + " " + tt.policy + " " + tt.profit; got != want {
					t.Errorf("price, policy, profit = %s, want %s", got, want)
				}
			}
		})
	}
}
