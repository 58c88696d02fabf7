package deckcsv

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"billd/rating"
)

// planOf packs texts in the order of PlanFiles.
func planOf(t testing.TB, texts [3]string) *TariffPlan {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		w, err := z.Create("plans/" + PlanFiles[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := PlanFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || p == nil {
		t.Fatalf("PlanFrom: %v, %v", p, err)
	}
	return p
}

func readPlan(t *testing.T, p *TariffPlan, o Options) (rows []Row, rejects []Reject) {
	t.Helper()
	r, err := p.Reader(o)
	if err != nil {
		t.Fatalf("Reader: %v", err)
	}
	for {
		row, reject, err := r.Next()
		switch {
		case err == io.EOF:
			return rows, rejects
		case err != nil:
			t.Fatal(err)
		case reject != nil:
			rejects = append(rejects, *reject)
		default:
			rows = append(rows, row)
		}
	}
}

const planHeads = "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\n"

func TestRatesOfATariffPlan(t *testing.T) {
	for _, tt := range []struct{ name, rates, want string }{
		{"a first step, then seconds", "R,0.3,1.2,1m,1m,0\n\n# later\nR,,1.2,1m,1s,60s\n", "connect 0.3, 60 s at 1.2, then 1 s at 1.2"},
		{"a price per second", "R,0.1,0.02,1s,6s,0s\n", "connect 0.1, 6 s at 1.2, then 6 s at 1.2"},
		{"steps that charge alike are one", "R,0,0.6,60s,1s,0\nR,0,0.6,1m,1s,30s\n", "connect 0.0, 1 s at 0.6, then 1 s at 0.6"},
		{"the first minutes free in small steps", "R,0,0,1m,1s,0\nR,0,1,1m,30s,3m\n", "connect 0.0, 180 s at 0.0, then 30 s at 1.0"},
		{"rows in any order", "R,0.2,0.5,1m,1s,30s\nR,9,0.6,1m,30s,0\n", "connect 0.2, 30 s at 0.6, then 1 s at 0.5"},
		{"a price per hour", "R,,3,1h,1m,\n", "connect 0.0, 60 s at 0.05, then 60 s at 0.05"},
		{"a price that does not come out even", "R,,1,7s,7s,0\n", "connect 0.0, 7 s at 8.571428571, then 7 s at 8.571428571"},
		{"a unit of 0", "R,0.1,0,0,1s,0\n", "rate R: unit 0: a price wants a time that it is for, as 1m (Rates.csv line 1)"},
		{"a unit of messages", "X,0,1,1m,1m,0\nR,0,1,1024,1024,0\n", "rate R: unit 1024 has no unit of time, it may be messages or octets: --bare-unit s if it is seconds (Rates.csv line 2)"},
		{"an increment of 0", "R,0,1,1m,0,0\n", "rate R: increment 0: want whole seconds from 1s on (Rates.csv line 1)"},
		{"an increment of less than a second", "R,0,1,1m,500ms,0\n", "rate R: increment 500ms: want whole seconds from 1s on (Rates.csv line 1)"},
		{"no start at 0", "R,0,1,1m,1s,1m\n", "rate R: it begins at 1m: want a row that begins at 0"},
		{"several first steps", "R,0,1,1m,1m,0\nR,0,1,1m,1s,3m\n", "rate R: steps of 60s go on until 3m: a rate of billd has one first step"},
		{"three kinds of steps", "R,0,1,1m,1m,0\nR,0,2,1m,1s,1m\nR,0,3,1m,1s,2m\n", "rate R: it has 3 different steps: a rate of billd has a first and a next one"},
		{"no price", "R,0,x,1m,1m,0\n", `rate R: rate "x" is not a number from 0 on (Rates.csv line 1)`},
		{"a negative fee", "R,-1,1,1m,1m,0\n", `rate R: connect fee "-1" is not a number from 0 on (Rates.csv line 1)`},
		{"a price beyond all", "R,0,1,1ns,1s,0\n", "rate R: rate 1 per 1ns: want at most 1000000000 a minute (Rates.csv line 1)"},
		{"cells that are not there", "R\n", `rate R: unit "": want a time, as 1m or 30s (Rates.csv line 1)`},
		{"another rate", "X,0,1,1m,1m,0\n", "rate R is not in Rates.csv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, rejects := readPlan(t, planOf(t, [3]string{"#Id,Prefix\nD,+44\n", tt.rates, planHeads + "P,D,R,,,,\n"}), Options{})
			got := ""
			if len(rows) == 1 {
				terms := rows[0].Terms
				got = "connect " + terms.ConnectFee.String() + ", " + step(terms.First) + ", then " + step(terms.Next)
			} else if len(rejects) == 1 {
				got = rejects[0].Reason
			}
			if got != tt.want || len(rows)+len(rejects) != 1 {
				t.Errorf("%d rows, %d rejects, %q, want %q", len(rows), len(rejects), got, tt.want)
			}
		})
	}
}

func step(s rating.Step) string {
	return (rating.Price(s.Seconds) * 1_000_000_000).Number() + " s at " + s.Price.String()
}

func TestRowsOfATariffPlan(t *testing.T) {
	const destinations = "ID,Prefix\nUK,0044\nUK,+44 20\nUK,voice\nDE,49\nDE,44\n"
	const rates = "R,0,0.6,1m,1s,0\n"
	for _, tt := range []struct {
		name, list string
		o          Options
		want       []string
	}{
		{"every prefix of a destination", planHeads + "P,UK,R,,,,\n", Options{}, []string{"2 44", "2 4420", `2 destination UK: prefix "voice": want digits (Destinations.csv line 4)`}},
		{"a prefix that two destinations have", planHeads + "P,DE,R,,,,\nP,UK,R,,,,\n", Options{}, []string{"2 49", "2 44", "3 prefix 44 already on line 2", "3 4420", `3 destination UK: prefix "voice": want digits (Destinations.csv line 4)`}},
		{"one of several plans", planHeads + "P,UK,R\nQ,DE,R\n", Options{Plan: "Q", Prepend: "9"}, []string{"3 949", "3 944"}},
		{"every number", planHeads + "P,*any,R,*up,4,,\n", Options{}, []string{"2 destination *any has no prefix: it is every number, and a rate of billd has a prefix"}},
		{"a destination that is none", planHeads + "P,FR,R\n", Options{}, []string{"2 destination FR is not in Destinations.csv"}},
		{"a most cost", planHeads + "P,DE,R,*up,4,10,*disconnect\n", Options{}, []string{"2 most cost 10 *disconnect: billd has no such bound; take it out to charge without"}},
		{"a most cost of nothing", planHeads + "P,DE,R,*up,4,0.0,\n", Options{}, []string{"2 49", "2 44"}},
		{"a rounding that is none", planHeads + "P,DE,R,*bank,4,,\n", Options{}, []string{`2 rounding "*bank": want *up, *down or *middle`}},
		{"decimals that are none", planHeads + "P,DE,R,*up,many,,\n", Options{}, []string{`2 rounding decimals "many": want 0 to 15`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := planOf(t, [3]string{destinations, rates, tt.list}).Reader(tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for {
				row, reject, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if reject != nil {
					row.Line, row.Prefix = reject.Line, reject.Reason
				}
				got = append(got, rating.Price(int64(row.Line)*1_000_000_000).Number()+" "+row.Prefix)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTariffPlansThatAreRefused(t *testing.T) {
	good := [3]string{"D,44\n", "R,0,1,1m,1m,0\n", "P,D,R\nQ,D,R\n"}
	for _, tt := range []struct {
		name  string
		texts [3]string
		o     Options
		want  string
	}{
		{"two plans and no choice", good, Options{}, "DestinationRates.csv has 2 plans, each a deck of its own: say which with --plan: P, Q"},
		{"a plan that is none", good, Options{Plan: "X"}, `plan "X" is not in DestinationRates.csv, which has P, Q`},
		{"a broken file", [3]string{good[0], "R,\"0\"x,1\n", good[2]}, Options{Plan: "P"}, "Rates.csv: line 1: a quote stands where none can: want comma-separated values"},
		{"an empty list", [3]string{good[0], good[1], planHeads}, Options{}, "DestinationRates.csv has no rows"},
		{"columns", good, Options{Columns: map[string]string{"a": "prefix"}}, "the columns of a tariff plan have their places: take --map away"},
		{"a unit that is none", good, Options{BareUnit: "h"}, `bare unit "h": want s or m`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := planOf(t, tt.texts).Reader(tt.o); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFilesOfATariffPlanAreFoundByTheirNames(t *testing.T) {
	for _, tt := range []struct {
		name, names, near, want string
	}{
		{"as CGRateS names them", "Actions.csv Destinations.csv Rates.csv DestinationRates.csv", "", "Destinations.csv Rates.csv DestinationRates.csv"},
		{"with a beginning", "a-rates.csv a-destinations.csv a-destinationrates.csv b.csv", "", "a-destinations.csv a-rates.csv a-destinationrates.csv"},
		{"the whole one of two", "b-Rates.csv Destinations.csv Rates.csv DestinationRates.csv", "", "Destinations.csv Rates.csv DestinationRates.csv"},
		{"a word is no beginning", "carrierates.csv", "", "none"},
		{"none", "deck.csv", "", "none"},
		{"two whole ones", "a_Rates.csv a_Destinations.csv a_DestinationRates.csv Destinations.csv Rates.csv DestinationRates.csv", "", "* and a_* could each be the tariff plan: give one of its files"},
		{"two whole ones and one named", "a_Rates.csv a_Destinations.csv a_DestinationRates.csv Destinations.csv Rates.csv DestinationRates.csv", "a_Rates.csv", "a_Destinations.csv a_Rates.csv a_DestinationRates.csv"},
		{"one missing", "x-Rates.csv x-DestinationRates.csv", "", "a tariff plan of CGRateS without x-Destinations.csv: billd wants Destinations.csv, Rates.csv, DestinationRates.csv together"},
		{"a name that says nothing", "x.csv", "x.csv", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files, ok, err := FindTariffPlan(strings.Fields(tt.names), tt.near)
			got := strings.Join(files[:], " ")
			if err != nil {
				got = err.Error()
			} else if !ok {
				got = "none"
			}
			if got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFileOfATariffPlanIsKnownByItsHeader(t *testing.T) {
	for head, want := range map[string]bool{
		"#ID,Prefix\nA,1\n": true, "\ufeff\r\n#Tag,Prefix\r\n": true, "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart": true, planHeads: true,
		"#ID,Prefix,Price\n": false, "ID,Prefix\n": false, "prefix,rate\n": false, "": false, "# our rates\n44,0.1\n": false,
	} {
		if got := IsPlanFile([]byte(head)); got != want {
			t.Errorf("IsPlanFile(%q) = %t, want %t", head, got, want)
		}
	}
}

// The published plan, with what its collection says of it.
func TestThePublishedTariffPlan(t *testing.T) {
	var texts [3]string
	for i, name := range PlanFiles {
		text, err := os.ReadFile(filepath.Join("../../../shared/data", "cgrates-tutorial2-"+name))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the collection of published price lists is not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		if !IsPlanFile(text) {
			t.Errorf("%s is not known by its header", name)
		}
		texts[i] = string(text)
	}
	p := planOf(t, texts)
	r, err := p.Reader(Options{Plan: "DR_10_60C"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Destinations.csv: 7 rows, 6 prefixes of digits", "Rates.csv: 10 rows of 9 rates", "DestinationRates.csv: 12 rows of 12 plans"}
	if got := r.Layout().Holds; !slices.Equal(got, want) {
		t.Errorf("it holds %q, want %q", got, want)
	}
	given, refused := "", 0
	for _, id := range []string{"DR_10_120C", "DR_10_60C", "DR_2030_120C", "DR_20_60C", "DR_VOICEMAIL_FREE", "DR_1002_60C", "DR_ANY_10C_CN", "DR_ANY_1024_1", "DR_1002_10C1", "DR_10_20C1", "DR_1CNT", "DR_10CNT"} {
		rows, rejects := readPlan(t, p, Options{Plan: id, BareUnit: "s"})
		for _, row := range rows {
			given += row.Prefix + " " + row.Terms.ConnectFee.String() + " + " + step(row.Terms.First) + ", " + step(row.Terms.Next) + "\n"
			if row.Rounding != (rating.Rounding{Mode: rating.RoundUp, Places: 4}) {
				t.Errorf("%s: rounding %+v, want up at 4", id, row.Rounding)
			}
		}
		refused += len(rejects)
	}
	const all = "10 0.2 + 60 s at 1.2, 1 s at 1.2\n10 0.1 + 1 s at 0.6, 1 s at 0.6\n20 0.2 + 60 s at 1.2, 1 s at 1.2\n30 0.2 + 60 s at 1.2, 1 s at 1.2\n20 0.1 + 1 s at 0.6, 1 s at 0.6\n" +
		"1002 0.1 + 1 s at 0.6, 1 s at 0.6\n1002 0.0 + 1 s at 6.0, 1 s at 6.0\n10 0.0 + 1 s at 12.0, 1 s at 12.0\n"
	if given != all || refused != 5 {
		t.Errorf("gives\n%sand %d rejects, want\n%sand 5", given, refused, all)
	}
}

// FuzzTariffPlan checks that no files make the reader panic or go on for ever, and that each row is a rate
// that can be charged by or a reject with a reason.
func FuzzTariffPlan(f *testing.F) {
	f.Add("#Id,Prefix\nD,44\n", "R,0.1,1.2,1m,1m,0\nR,,1.2,1m,1s,1m\n", planHeads+"P,D,R,*up,4,,\n")
	f.Add("D,+1 264\nD,\n", "R,1e3,-1,1,1,0\n", "P,D,R,*down,99\nP,*any,R\n")
	f.Add("\ufeffTag,Prefix\n\"D\",\"4\n4\"\n", "R,0,1,9999999h,1s,-1m\n", "P,D,R,*middle,\n")
	f.Fuzz(func(t *testing.T, destinations, rates, list string) {
		p := &TariffPlan{text: [3][]byte{[]byte(destinations), []byte(rates), []byte(list)}}
		r, err := p.Reader(Options{BareUnit: "s"})
		for n := 0; err == nil; n++ {
			var row Row
			var reject *Reject
			if row, reject, err = r.Next(); err != nil {
				break
			}
			if n > (len(destinations)+1)*(len(list)+1) {
				t.Fatalf("%d rows", n)
			}
			if reject != nil && reject.Reason == "" {
				t.Fatalf("line %d is rejected without a reason", reject.Line)
			}
			if reject == nil && (row.Terms.Valid() != nil || rating.CheckPrefix(row.Prefix) != nil) {
				t.Fatalf("line %d: %+v cannot be charged by", row.Line, row)
			}
		}
		if refusal := (*rating.Error)(nil); err != io.EOF && (!errors.As(err, &refusal) || refusal.Msg == "") {
			t.Fatalf("refused with %T %v, want a rating.Error", err, err)
		}
	})
}
