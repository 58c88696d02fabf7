package deckcsv

import (
	"bytes"
	"testing"
	"time"

	"billd/rating"
)

// styledRow is a rate that the form can say, with all that it can.
func styledRow(t *testing.T, f Form) Row {
	t.Helper()
	price := func(s string) rating.Price {
		p, err := rating.ParsePrice(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	r := Row{Prefix: "4420", Name: `London, "the city"`, Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: price("0.01234")}, Next: rating.Step{Seconds: 6, Price: price("0.01234")}, ConnectFee: 20_000}}
	if f != FormKazoo {
		r.Terms.Next.Price = price("0.00999")
	}
	if f == FormPlain || f == FormYeti {
		r.From, r.Till, r.Blocked = time.Date(2026, 1, 31, 12, 0, 0, 1000, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), true
		r.Terms.First.Price = price("0.123456789")
	}
	if f == FormPlain || f == FormPortSIP {
		r.Terms.FreeSeconds, r.Terms.Surcharge = 5, 10_000
	}
	if f != FormYeti {
		r.Terms.Grace = 7
	}
	if f == FormPlain {
		r.Terms.MinCost, r.Terms.MaxCost = 1_000, 9_000_000
	}
	return r
}

func TestFormsOfOthersAreReadBackAsTheyWere(t *testing.T) {
	for _, f := range []Form{FormYeti, FormKazoo, FormPortSIP, FormPlain} {
		t.Run(f.String(), func(t *testing.T) {
			want := styledRow(t, f)
			if lost := f.Unsaid(&want); lost != "" {
				t.Fatalf("cannot say %s", lost)
			}
			var file bytes.Buffer
			w, err := NewWriter(&file, f)
			if err == nil {
				err = w.Write(&want)
			}
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				t.Fatal(err)
			}
			got := readText(t, file.String(), Options{})
			if len(got.rows) != 1 || len(got.rejects) != 0 {
				t.Fatalf("rows %v, rejects %v of\n%s", got.rows, got.rejects, file.String())
			}
			r := got.rows[0]
			if r.Prefix != want.Prefix || r.Terms != want.Terms || !r.From.Equal(want.From) || !r.Till.Equal(want.Till) || r.Blocked != want.Blocked || f != FormYeti && r.Name != want.Name {
				t.Errorf("got  %+v\nwant %+v\n%s", r, want, file.String())
			}
		})
	}
}

func TestFormsSayWhatTheyCannotSay(t *testing.T) {
	plain := styledRow(t, FormPlain)
	for f, want := range map[Form]string{
		FormBilld: "", FormPlain: "",
		FormYeti:    "5 free seconds, a grace of 7 s, the surcharge 0.01, the least cost 0.001, the greatest cost 9.0",
		FormKazoo:   "the next price 0.00999, 5 free seconds, the surcharge 0.01, the least cost 0.001, the greatest cost 9.0, that calls are blocked",
		FormPortSIP: "the least cost 0.001, the greatest cost 9.0, that calls are blocked, more than 5 decimals",
	} {
		if got := f.Unsaid(&plain); got != want {
			t.Errorf("%s cannot say %q, want %q", f, got, want)
		}
	}
	odd := Row{Prefix: "0044", Terms: styledRow(t, FormKazoo).Terms, Extra: []Extra{{"direction", "inbound"}, {"reverse_billing", "true"}, {"max_length", "9"}, {"enabled", "false"}}}
	odd.Terms.Grace = 0
	for f, want := range map[Form]string{
		FormYeti: "the prefix, that it is for inbound calls", FormKazoo: "the prefix, that it is billed in reverse, the length of numbers, that it is disabled",
		FormPlain: "the prefix, that it is billed in reverse, the length of numbers, that it is disabled",
	} {
		if got := f.Unsaid(&odd); got != want {
			t.Errorf("%s cannot say %q, want %q", f, got, want)
		}
	}
}
