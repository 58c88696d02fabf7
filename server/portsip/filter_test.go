package portsip

import (
	"encoding/base64"
	"strings"
	"testing"

	"billd/rating"
)

func encodeText(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// sample is what the grammar is tried on.
func sample() []rating.Rate {
	return []rating.Rate{
		{ID: 1, Prefix: "101", Label: rating.Local, Name: "Alpha One", Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 50_000_000}, Surcharge: 10_000}},
		{ID: 2, Prefix: "102", Label: rating.Mobile, Name: "O'Brien & Co", Terms: rating.Terms{First: rating.Step{Seconds: 30, Price: 123_456_789}, ConnectFee: 250_000}},
		{ID: 3, Prefix: "1101", Label: rating.Mobile, Terms: rating.Terms{First: rating.Step{Seconds: 6, Price: -10_000}}},
		{ID: 4, Prefix: "+44", Label: rating.National, Name: "äther", Terms: rating.Terms{First: rating.Step{Seconds: 1}}},
	}
}

func TestFilterGrammar(t *testing.T) {
	for _, tt := range []struct{ name, filter, want string }{
		{"text is equal", "prefix eq '101'", "101"},
		{"text is not equal", "prefix ne '101'", "102 1101 +44"},
		{"text sorts by code point", "prefix gt '101'", "102 1101"},
		{"at least", "prefix ge '102'", "102 1101"},
		{"below", "prefix lt '101'", "+44"},
		{"at most", "prefix le '101'", "101 +44"},
		{"text tests mind the case", "type eq 'mobile'", ""},
		{"numbers compare as numbers", "interval_1 gt 6", "101 102"},
		{"a number may have a point", "price_1 eq 0.05", "101"},
		{"a number may have an exponent", "price_1 eq 5e-2", "101"},
		{"a price is what is shown of it", "price_1 eq 0.12346", "102"},
		{"a literal is not rounded", "price_1 lt 0.123465", "101 102 1101 +44"},
		{"nor equal to what it is not", "price_1 eq 0.123461", ""},
		{"a literal below zero", "price_1 lt 0", "1101"},
		{"and one that is cut", "price_1 gt -0.000015", "101 102 1101 +44"},
		{"a literal beyond everything", "price_1 lt 1e40", "101 102 1101 +44"},
		{"and far below", "price_1 gt -1e40", "101 102 1101 +44"},
		{"connect_fee is usable", "connect_fee eq 0.25", "102"},
		{"so is the surcharge", "postcall_surcharge eq 0.01", "101"},
		{"so is the id", "id eq '" + encodeID(idBase+2) + "'", "102"},
		{"null is equal to null", "description eq null", "1101"},
		{"and different from text", "description ne null", "101 102 +44"},
		{"null is not equal to text", "description ne 'Alpha One'", "102 1101 +44"},
		{"nothing is greater than null", "description gt null", ""},
		{"null is not below text", "description lt 'Z'", "101 102"},
		{"a field that has no null", "price_1 eq null", ""},
		{"begins with", "startswith(prefix,'10')", "101 102"},
		{"ends with", "endswith(prefix,'01')", "101 1101"},
		{"contains", "contains(description,'One')", "101"},
		{"a function takes white space", " contains ( description , 'One' ) ", "101"},
		{"functions mind the case", "contains(description,'one')", ""},
		{"a quote is written twice", "contains(description,'O''B')", "102"},
		{"an empty text is in all but null", "contains(description,'')", "101 102 +44"},
		{"words of the grammar inside quotes are text", "prefix eq 'a or b' or prefix eq '101'", "101"},
		{"other scripts", "startswith(description,'ä')", "+44"},
		{"and binds before or", "prefix eq '101' or type eq 'MOBILE' and prefix eq '1101'", "101 1101"},
		{"parentheses bind first", "(prefix eq '101' or type eq 'MOBILE') and prefix eq '1101'", "1101"},
		{"not binds closest", "not prefix eq '101' and not prefix eq '102'", "1101 +44"},
		{"not of a group", "not (type eq 'MOBILE' or type eq 'LOCAL')", "+44"},
		{"not needs no space before a group", "not(type eq 'MOBILE')", "101 +44"},
		{"chains are flat", strings.Repeat("prefix eq 'x' or ", 300) + "prefix eq '101'", "101"},
		{"64 groups deep", strings.Repeat("(", 64) + "prefix eq '101'" + strings.Repeat(")", 64), "101"},
		{"groups side by side are not deep", strings.Repeat("(prefix eq 'x') or ", 100) + "prefix eq '101'", "101"},
		{"blank is no filter", "  ", "101 102 1101 +44"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := parseFilter(tt.filter, rateColumns)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range sample() {
				if e == nil || e.match(&r) {
					got = append(got, r.Prefix)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s finds %q, want %q", tt.filter, s, tt.want)
			}
		})
	}
}

var badFilters = []struct{ name, filter string }{
	{"an unknown field", "colour eq 'red'"},
	{"an unknown operator", "prefix like '1'"},
	{"an operator in capitals", "prefix EQ '1'"},
	{"an unknown function", "upper(prefix) eq 'A'"},
	{"a number for a text", "prefix eq 101"},
	{"a text for a number", "price_1 eq '0.05'"},
	{"a word for a number", "price_1 eq five"},
	{"two points", "price_1 eq 0.0.5"},
	{"too many digits", "price_1 eq 0." + strings.Repeat("1", 80)},
	{"a function of a number", "startswith(price_1,'0')"},
	{"a function of a number literal", "startswith(prefix,1)"},
	{"a function of null", "startswith(prefix,null)"},
	{"a function without its text", "startswith(prefix)"},
	{"no closing quote", "prefix eq '101"},
	{"no closing parenthesis", "(prefix eq '101'"},
	{"one too many", "prefix eq '101')"},
	{"no literal", "prefix eq"},
	{"no operator", "prefix"},
	{"the literal first", "'101' eq prefix"},
	{"nothing after and", "prefix eq '1' and"},
	{"nothing after not", "not"},
	{"not twice", "not not prefix eq '1'"},
	{"two tests in a row", "prefix eq '1' prefix eq '2'"},
	{"a double quote", `prefix eq "101"`},
	{"another language", "prefix = '101'; drop"},
	{"an empty group", "()"},
	{"65 groups deep", strings.Repeat("(", 65) + "prefix eq '1'" + strings.Repeat(")", 65)},
	{"thousands of groups deep", strings.Repeat("(", 8000)},
	{"too long", "prefix eq '" + strings.Repeat("1", 8<<10) + "'"},
	{"bytes that are no text", "prefix eq '\xff'"},
}

func TestFilterRefusals(t *testing.T) {
	for _, tt := range badFilters {
		t.Run(tt.name, func(t *testing.T) {
			e, err := parseFilter(tt.filter, rateColumns)
			if rating.KindOf(err) != rating.Invalid || e != nil {
				t.Errorf("%.60s = %v, %v, want Invalid", tt.filter, e, err)
			}
		})
	}
}

func TestSearchIsFreeText(t *testing.T) {
	for _, tt := range []struct{ name, search, want string }{
		{"any case", "ALPHA", "101"},
		{"prefixes too", "101", "101 1101"},
		{"white space joins", "one alpha", "101"},
		{"all words must be there", "one brien", ""},
		{"or loosest", "alpha one or brien", "101 102"},
		{"or in any case", "alpha OR brien", "101 102"},
		{"or at the ends means nothing", "or alpha or", "101"},
		{"or alone restricts nothing", "or", "101 102 1101 +44"},
		{"empty restricts nothing", " ", "101 102 1101 +44"},
		{"words across fields", "102 brien", "102"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSearch(tt.search)
			must(t, err)
			var got []string
			for _, r := range sample() {
				if matchSearch(s, rateColumns, &r) {
					got = append(got, r.Prefix)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s finds %q, want %q", tt.search, s, tt.want)
			}
		})
	}
}

func FuzzFilter(f *testing.F) {
	for _, tt := range badFilters {
		f.Add(tt.filter)
	}
	f.Add("startswith(prefix,'7156') and not (type eq 'MOBILE' or price_1 le -1.5e3) or description ne null")
	f.Add("started_at gt '2026-01-01T00:00:00Z'")
	rates := sample()
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseFilter(s, rateColumns)
		if err != nil && rating.KindOf(err) != rating.Invalid {
			t.Fatalf("%q: %v, want Invalid", s, err)
		}
		if e != nil {
			hint := e.prefixHint("prefix")
			for i := range rates {
				if e.match(&rates[i]) && !strings.HasPrefix(rates[i].Prefix, hint) {
					t.Fatalf("%q matches %s, but every match was to begin with %q", s, rates[i].Prefix, hint)
				}
			}
		}
		if _, err := parseFilter(s, callColumns); err != nil && rating.KindOf(err) != rating.Invalid {
			t.Fatalf("%q over calls: %v, want Invalid", s, err)
		}
	})
}
