package plan

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"billd/rating"
)

func doc(t testing.TB, text string) Object {
	t.Helper()
	if strings.TrimSpace(text) == "" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var o Object
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func counts(t testing.TB, category, text string) Quantities {
	t.Helper()
	has := map[string]int64{}
	for k, v := range doc(t, text) {
		n, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		has[k] = n
	}
	return Quantities{category: has}
}

func price(t testing.TB, c Counts, plans ...string) []*Invoice {
	t.Helper()
	var assigned []Assigned
	for _, p := range plans {
		assigned = append(assigned, Assigned{Doc: doc(t, p)})
	}
	v, err := Price(assigned, nil, c, "seller")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestItemsCostWhatIsPublished(t *testing.T) {
	raw, err := os.ReadFile("testdata/items.txt")
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
		category, item, _ := strings.Cut(col[0], ".")
		t.Run(line, func(t *testing.T) {
			c := Counts{counts(t, category, col[2]), counts(t, category, col[3]), counts(t, category, col[4])}
			v := price(t, c, `{"plan":{"`+category+`":{"`+item+`":`+col[1]+`}}}`)
			it := v[0].Items[0]
			got := []string{strconv.FormatInt(it.Quantity, 10), strconv.FormatInt(it.Billable, 10), it.Rate.Number(), it.Total.Number()}
			if want := col[5:9]; strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("quantity, billable, rate, total = %v, want %v", got, want)
			}
		})
	}
}

func TestAnItemIsWrittenAsKazooWritesIt(t *testing.T) {
	v := price(t, Counts{Account: Quantities{"users": {"user": 7}}},
		`{"plan":{"users":{"user":{"rate":4,"as":"seat","discounts":{"single":{"rate":2.5},"cumulative":{"maximum":3,"rate":1}}}}}}`)
	got, err := json.Marshal(v[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"items":[{"category":"users","item":"seat","name":"users/seat","quantity":7,"billable":7,"rate":4,` +
		`"discounts":{"cumulative":{"quantity":3,"rate":1},"single":{"rate":2.5},"total":5.5},"maximum":7,"prorate":{"additions":true,"removals":true},"total":22.5}],` +
		`"activation_charges":[],"taxes":[],"summary":{"today":0,"recurring":22.5},` +
		`"plan":{"users":{"user":{"as":"seat","discounts":{"cumulative":{"maximum":3,"rate":1},"single":{"rate":2.5}},"rate":4}}},` +
		`"bookkeeper":{"type":"default","id":"default_bookkeeper","vendor_id":"seller"}}`
	if string(got) != want {
		t.Errorf("invoice\n got %s\nwant %s", got, want)
	}
}

func TestPlansAreMergedByStrategyAndPriority(t *testing.T) {
	has := Counts{Account: Quantities{"users": {"user": 1}}}
	for _, tt := range []struct {
		name  string
		plans []string
		want  string // billable at rate
	}{
		{"the larger priority wins", []string{`{"plan":{"users":{"user":{"rate":9}}},"merge":{"priority":10}}`, `{"plan":{"users":{"user":{"rate":1}}},"merge":{"priority":9}}`}, "1 at 9"},
		{"the later plan wins a tie", []string{`{"plan":{"users":{"user":{"rate":9}}}}`, `{"plan":{"users":{"user":{"rate":1}}}}`}, "1 at 1"},
		{"cumulative minimums add up", []string{`{"plan":{"users":{"user":{"minimum":2,"rate":1}}},"merge":{"strategy":"cumulative"}}`, `{"plan":{"users":{"user":{"minimum":4}}},"merge":{"strategy":"cumulative"}}`}, "6 at 1"},
		{"cumulative drops the maximum", []string{`{"plan":{"users":{"user":{"minimum":5,"maximum":2,"rate":1}}},"merge":{"strategy":"cumulative"}}`}, "5 at 1"},
		{"cumulative lies over recursive over simple", []string{`{"plan":{"users":{"user":{"rate":3}}},"merge":{"strategy":"cumulative"}}`,
			`{"plan":{"users":{"user":{"rate":2}}},"merge":{"strategy":"recursive","priority":5}}`, `{"plan":{"users":{"user":{"rate":1}}},"merge":{"priority":9}}`}, "1 at 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			it := price(t, has, tt.plans...)[0].Items[0]
			if got := strconv.FormatInt(it.Billable, 10) + " at " + it.Rate.Number(); got != tt.want {
				t.Errorf("billable = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBookkeepersMakeInvoices(t *testing.T) {
	v := price(t, Counts{}, `{"plan":{"users":{"user":{"rate":1}}}}`, `{"plan":{"users":{"user":{"rate":1}}},"bookkeeper":{"id":"side"}}`, `{"plan":{"devices":{"ata":{}}}}`)
	if len(v) != 2 || len(v[0].Items) != 2 || v[1].Bookkeeper.ID != "side" {
		t.Errorf("invoices = %+v, want one of two items and one of bookkeeper side", v)
	}
}

func TestChangesAndActivationCharges(t *testing.T) {
	const seats = `{"plan":{"users":{"user":{"rate":1.5,"activation_charge":8}}}}`
	at := func(n int64) Counts { return Counts{Account: Quantities{"users": {"user": n}}} }
	for _, tt := range []struct {
		name      string
		now, next []*Invoice
		want      string // changes of the first line, then today's charges
	}{
		{"a first plan", nil, price(t, at(3), seats), `{"type":"modified","difference":{"billable":3}} 24`},
		{"a first plan with nothing to bill", nil, price(t, at(0), seats), `null 0`},
		{"more units", price(t, at(3), seats), price(t, at(5), seats), `{"type":"modified","difference":{"billable":2,"quantity":2}} 16`},
		{"fewer units", price(t, at(5), seats), price(t, at(3), seats), `{"type":"modified","difference":{"billable":-2,"quantity":-2}} 0`},
		{"nothing", price(t, at(5), seats), price(t, at(5), seats), `null 0`},
		{"the last plan gone", price(t, at(5), seats), nil, `{"type":"modified","difference":{"billable":-5}} 0`},
		{"below a minimum only the quantity moves", price(t, at(1), `{"plan":{"users":{"user":{"minimum":4}}}}`), price(t, at(2), `{"plan":{"users":{"user":{"minimum":4}}}}`), `{"type":"modified","difference":{"quantity":1}} 0`},
		{"an item of a plan that stays is gone", price(t, at(2), `{"plan":{"users":{"user":{"rate":1}}}}`), price(t, at(2), `{"plan":{}}`), `{"type":"removed","difference":{"billable":-2,"quantity":-2,"rate":-1}} 0`},
		{"an item of a plan that stays is new", price(t, at(2), `{"plan":{}}`), price(t, at(2), seats), `{"type":"created","difference":{"activation_charge":8,"billable":2,"quantity":2,"rate":1.5}} 16`},
		{"exceptions", price(t, at(0), `{"plan":{"users":{"_all":{"exceptions":["a"]}}}}`), price(t, at(0), `{"plan":{"users":{"_all":{"exceptions":["b"]}}}}`), `{"type":"modified","difference":{"exceptions":{"additions":["b"],"removals":["a"]}}} 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Compare(tt.now, tt.next)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(v[0].Items[0].Changes)
			if err != nil {
				t.Fatal(err)
			}
			today, err := v[0].Today()
			if err != nil {
				t.Fatal(err)
			}
			if got := string(b) + " " + today.Number(); got != tt.want {
				t.Errorf("changes = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAPlanThatCannotBeReadIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, plan, field string }{
		{"a rate that is no number", `{"plan":{"users":{"user":{"rate":true}}}}`, "plan.users.user.rate"},
		{"a rate below 0", `{"plan":{"users":{"user":{"rate":-0.01}}}}`, "plan.users.user.rate"},
		{"a rate that is far below 0", `{"plan":{"users":{"user":{"flat_rate":-1e300}}}}`, "plan.users.user.flat_rate"},
		{"a tier below 0", `{"plan":{"users":{"user":{"rates":{"5":"-1"}}}}}`, "plan.users.user.rates.5"},
		{"an activation charge below 0", `{"plan":{"users":{"user":{"activation_charge":-8}}}}`, "plan.users.user.activation_charge"},
		{"a discount below 0", `{"plan":{"users":{"user":{"discounts":{"single":{"rate":-1}}}}}}`, "plan.users.user.discounts.single.rate"},
		{"a rate that is a word", `{"plan":{"users":{"user":{"rate":"dear"}}}}`, "plan.users.user.rate"},
		{"units below 0", `{"plan":{"users":{"user":{"maximum":-1}}}}`, "plan.users.user.maximum"},
		{"a rate beyond a billion", `{"plan":{"users":{"user":{"rate":1e10}}}}`, "plan.users.user.rate"},
		{"half a unit", `{"plan":{"users":{"user":{"minimum":1.5}}}}`, "plan.users.user.minimum"},
		{"a tier of no quantity", `{"plan":{"users":{"user":{"rates":{"many":1}}}}}`, "plan.users.user.rates.many"},
		{"discounts that are a list", `{"plan":{"users":{"user":{"discounts":[]}}}}`, "plan.users.user.discounts"},
		{"a strategy nobody knows", `{"plan":{},"merge":{"strategy":"best"}}`, "merge.strategy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(doc(t, tt.plan))
			e, ok := err.(*rating.Error)
			if !ok || e.Kind != rating.Invalid || e.Field != tt.field {
				t.Errorf("Check = %v, want Invalid at %s", err, tt.field)
			}
		})
	}
}

func TestALineTooLargeForAnAmountIsARangeError(t *testing.T) {
	_, err := Price([]Assigned{{Doc: doc(t, `{"plan":{"users":{"user":{"rate":1e9,"minimum":1000000000}}}}`)}}, nil, Counts{}, "")
	if rating.KindOf(err) != rating.Range {
		t.Errorf("Price = %v, want Range", err)
	}
}

// A line's total is what its parts say, billable keeps to step and bounds, and comparing an invoice
// with itself finds nothing.
func TestLinesAddUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		micro := rapid.Int64Range(0, 1_000_000_000)
		n := func(name string, most int64) int64 { return rapid.Int64Range(0, most).Draw(r, name) }
		s := &spec{category: "users", key: "user", rate: rating.Money(micro.Draw(r, "rate")), minimum: n("minimum", 50), maximum: n("maximum", 100) - 1, step: 1 + n("step", 9),
			single: discount{set: true, minimum: 1}, cumulative: discount{set: true, maximum: n("most", 20), minimum: 1}}
		quantity := n("quantity", 200)
		it, err := s.bill(quantity)
		if err != nil {
			r.Fatal(err)
		}
		if it.Billable%s.step != 0 || it.Billable < s.minimum && (s.maximum < 0 || s.maximum >= s.minimum) {
			r.Errorf("billable = %d, want a multiple of %d from %d", it.Billable, s.step, s.minimum)
		}
		if s.maximum < 0 && it.Billable < quantity {
			r.Errorf("billable = %d of %d without a maximum", it.Billable, quantity)
		}
		want := it.Rate*rating.Money(it.Billable) - it.Discounts.single - it.Discounts.each*rating.Money(it.Discounts.units)
		if it.Total != want {
			r.Errorf("total = %s, want %s", it.Total, want)
		}
		now, next := []*Invoice{{Items: []Item{it}}}, []*Invoice{{Items: []Item{it}}}
		v, err := Compare(now, next)
		if err != nil || v[0].Changed() || len(v) != 1 {
			r.Errorf("an invoice compared with itself = %+v, %v, want no change", v, err)
		}
	})
}
