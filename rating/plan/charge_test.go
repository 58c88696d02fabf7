package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"billd/rating"
)

func TestWhatRemainsOfAMonthCountsUTCDays(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	for _, tt := range []struct {
		name string
		at   time.Time
		want Share
	}{
		{"the first day is the whole month", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Share{30, 30}},
		{"today is included", time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC), Share{10, 30}},
		{"the last day is one day", time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC), Share{1, 30}},
		{"the first hour in Berlin is October in UTC", time.Date(2026, 11, 1, 0, 30, 0, 0, berlin), Share{30, 30}},
		{"an evening in New York is December in UTC", time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC), Share{1, 30}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Remaining(tt.at, 2026, time.November); got != tt.want {
				t.Errorf("Remaining = %v, want %v", got, tt.want)
			}
		})
	}
	if got, want := Remaining(time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), 2028, time.February), (Share{1, 29}); got != want {
		t.Errorf("a leap day = %v, want %v", got, want)
	}
}

// Each row of testdata/charges.txt is one item whose quantity takes one value after another.
func TestChangesInMidMonthCostWhatIsLeftOfIt(t *testing.T) {
	raw, err := os.ReadFile("testdata/charges.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		col := strings.Split(line, "|")
		for i := range col {
			col[i] = strings.TrimSpace(col[i])
		}
		t.Run(line, func(t *testing.T) {
			var left Share
			if _, err := fmt.Sscanf(col[1], "%d/%d", &left.Left, &left.Of); err != nil {
				t.Fatal(err)
			}
			at := func(n int64) []*Invoice {
				return price(t, Counts{Account: Quantities{"users": {"user": n}}}, `{"plan":{"users":{"user":`+col[0]+`}}}`)
			}
			var now []*Invoice
			var kept Kept
			var got []string
			for _, step := range strings.Fields(col[2]) {
				n, err := strconv.ParseInt(step, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				next, err := Compare(now, at(n))
				if err != nil {
					t.Fatal(err)
				}
				var charges []Charge
				if charges, kept, err = Change(now, next, left, kept); err != nil {
					t.Fatal(err)
				}
				said := "-"
				for _, c := range charges {
					said = strings.TrimPrefix(said+"+", "-+") + c.Kind.String()[:1] + c.Amount.Number()
				}
				got, now = append(got, said), at(n)
			}
			if got := strings.Join(got, " "); got != col[3] {
				t.Errorf("charges = %s, want %s", got, col[3])
			}
		})
	}
}

func TestAPlanThatGoesIsGivenBack(t *testing.T) {
	seats := func() []*Invoice {
		return price(t, Counts{Account: Quantities{"users": {"user": 3}}}, `{"plan":{"users":{"user":{"rate":4,"activation_charge":9}}}}`)
	}
	next, err := Compare(seats(), nil)
	if err != nil {
		t.Fatal(err)
	}
	charges, _, err := Change(seats(), next, Share{15, 30}, nil)
	if err != nil || len(charges) != 1 || charges[0].Amount != -6_000_000 || charges[0].Units != -3 {
		t.Errorf("charges = %+v, %v, want -6 for 3 units", charges, err)
	}
	if month := Month(seats()); len(month) != 1 || month[0].Amount != 12_000_000 || month[0].Key != charges[0].Key {
		t.Errorf("a month = %+v, want 12 under the same key", month)
	}
}

func TestLinesOfTwoBookkeepersHaveTheirOwnKeys(t *testing.T) {
	v := price(t, Counts{Account: Quantities{"a": {"b": 1}, "ab": {"": 1}}}, `{"plan":{"a":{"b":{"rate":1}},"ab":{"":{"rate":1}}}}`, `{"plan":{"a":{"b":{"rate":1}}},"bookkeeper":{"id":"side"}}`)
	keys := map[string]bool{}
	for _, c := range Month(v) {
		keys[c.Key] = true
	}
	if len(keys) != 3 {
		t.Errorf("keys = %v, want three", keys)
	}
}

// drawPlan makes a plan of a few items without discounts, and counts for it.
func drawPlan(r *rapid.T) (Object, Counts) {
	number := func(name string, most int) json.Number {
		return json.Number(strconv.FormatFloat(float64(rapid.IntRange(0, most).Draw(r, name))/100, 'f', -1, 64))
	}
	items := Object{}
	c := Counts{Account: Quantities{"users": {}}, Manual: Quantities{"users": {}}, Cascade: Quantities{"users": {}}}
	for _, key := range []string{All, "admin", "user", "guest"} {
		if !rapid.Bool().Draw(r, key) {
			continue
		}
		it := Object{"rate": number("rate", 1000), "activation_charge": number("activation", 500), "minimum": json.Number(strconv.Itoa(rapid.IntRange(0, 5).Draw(r, "minimum"))),
			"step": json.Number(strconv.Itoa(rapid.IntRange(1, 4).Draw(r, "step"))), "cascade": rapid.Bool().Draw(r, "cascade"),
			"prorate": Object{"additions": rapid.Bool().Draw(r, "additions"), "removals": rapid.Bool().Draw(r, "removals")}}
		if rapid.Bool().Draw(r, "tiers") {
			it["rates"] = Object{"3": number("tier", 1000), "9": number("tier", 1000)}
		}
		if rapid.Bool().Draw(r, "flat") {
			it["flat_rate"] = number("flat", 5000)
		}
		items[key] = it
		for _, q := range []Quantities{c.Account, c.Cascade} {
			q["users"][key] = int64(rapid.IntRange(0, 12).Draw(r, "quantity"))
		}
	}
	return Object{"plan": Object{"users": items}}, c
}

func priced(r *rapid.T, doc Object, c Counts) []*Invoice {
	v, err := Price([]Assigned{{Doc: doc}}, nil, c, "seller")
	if err != nil {
		r.Fatal(err)
	}
	return v
}

// No line without a discount comes to less than nothing; the same quantities give the same bytes, and
// going from them to themselves charges nothing, whatever was kept.
func TestAQuoteTwiceIsTheSameQuote(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		doc, c := drawPlan(r)
		first, second := priced(r, doc, c), priced(r, doc, c)
		a, err := json.Marshal(first)
		if err != nil {
			r.Fatal(err)
		}
		b, _ := json.Marshal(second)
		if string(a) != string(b) {
			r.Errorf("a quote twice:\n%s\n%s", a, b)
		}
		for _, it := range first[0].Items {
			if it.Total < 0 {
				r.Errorf("line %s comes to %s, want 0 or more", it.Name, it.Total)
			}
		}
		kept := Kept{}
		for _, it := range first[0].Items {
			kept[lineKey(first[0].Bookkeeper, it.Category, it.key)] = 5_000_000
		}
		next, err := Compare(first, second)
		if err != nil {
			r.Fatal(err)
		}
		charges, after, err := Change(first, next, Share{7, 30}, kept)
		if err != nil || len(charges) != 0 || len(after) != len(kept) {
			r.Errorf("the same quantities again charge %+v, keep %v, %v, want nothing new", charges, after, err)
		}
	})
}

// Within a day, whatever an account goes through, it has paid for no less than the rest of the month of
// what it has, and for no more than the most it had; where all is prorated it has paid for just that.
func TestADayOfChangesCostsWhatIsHadAtItsEnd(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		doc, c := drawPlan(r)
		left := Share{rapid.IntRange(1, 30).Draw(r, "left"), 30}
		var now []*Invoice
		var kept Kept
		paid := map[string]rating.Money{}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			for key := range c.Account["users"] {
				c.Account["users"][key] = int64(rapid.IntRange(0, 20).Draw(r, "quantity"))
			}
			next, err := Compare(now, priced(r, doc, c))
			if err != nil {
				r.Fatal(err)
			}
			var charges []Charge
			if charges, kept, err = Change(now, next, left, kept); err != nil {
				r.Fatal(err)
			}
			for _, ch := range charges {
				if ch.Kind == Proration {
					paid[ch.Key] += ch.Amount
				} else if ch.Amount <= 0 {
					r.Errorf("activation of %s, want more than nothing", ch.Amount)
				}
			}
			now = priced(r, doc, c)
		}
		for _, v := range now {
			for i := range v.Items {
				it := &v.Items[i]
				key := lineKey(v.Bookkeeper, it.Category, it.key)
				least, slack := left.of(it.Total), rating.Money(8) // a rounding a step
				if got := paid[key]; got < least-slack || kept[key] == 0 && it.Prorate == (Prorate{true, true}) && got > least+slack {
					r.Errorf("line %s paid %s, want %s of its %s", it.Name, got, least, it.Total)
				}
			}
		}
	})
}
