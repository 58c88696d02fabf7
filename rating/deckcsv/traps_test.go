package deckcsv

import (
	"fmt"
	"strings"
	"testing"
)

func TestHeadersOfTheTrade(t *testing.T) {
	for _, tt := range []struct{ source, text, want string }{
		{"JeraSoft", "Code,Code Name,Src Code,Rate,Effective Date,End Date,SF,Min,Int,Policy,Notes\n44,UK,,0.1,2026-01-31,2026-12-31,0.02,60,1,A,x\n45,DK,,,2026-02-01,,,,,R,\n46,SE,49,0.1,2026-01-31,,,,,A,\n",
			"44 0.1 60/1 connect 0.02 from 2026-01-31T00:00 till 2026-12-31T00:00 new \"UK\"\n45 0.0 60/60 from 2026-02-01T00:00 deleted \"DK\"\nline 4: a price for calls from 49 only: a rate depends on the called number alone"},
		{"ASTPP", "Code,Destination,Connection Cost,Grace Time,Cost / Min,Initial Increment,Increment\n44,UK,0.02,5,0.1,60,6\n", "44 0.1 60/6 connect 0.02 grace 5 \"UK\""},
		{"ASTPP's carriers", "Code,Destination,Connect Cost,Per Minute Cost,Increment,Precedence\n44,UK,0.02,0.1,6,1\n", "44 0.1 6/6 connect 0.02 \"UK\""},
		{"A2Billing", "dialprefix,destination,rateinitial,initblock,billingblock,connectcharge,minimal_cost,startdate,stopdate\n44,UK,0.1,60,6,0.02,0.05,2026-01-01 00:00:00,2036-01-01 00:00:00\n", "44 0.1 60/6 connect 0.02 min 0.05 from 2026-01-01T00:00 till 2036-01-01T00:00 \"UK\""},
		{"VOS3000", "Codes,Destination,Rate,Effective Date\n\"4420;4421\",UK,0.1,31-Jan-26\n", "4420 0.1 60/60 from 2026-01-31T00:00 \"UK\"\n4421 0.1 60/60 from 2026-01-31T00:00 \"UK\""},
		{"Inomial", "Destination Name,Prefix,Flagfall Rate,Per Unit Rate,Minimum Charge,Maximum Charge,Start Date,Charging Increment\nUK,44,0.02,0.1,0.05,9,31/01/2026,30\n", "44 0.1 30/30 connect 0.02 min 0.05 max 9.0 from 2026-01-31T00:00 \"UK\""},
		{"Telnyx", "Description,Prefix,RateValue,Increment\nUK,44,0.1,60\n", "44 0.1 60/60 \"UK\""},
		{"Twilio", "ISO,Country,Description,Price per min,Origination Prefixes,Destination Prefixes\nGB,UK,UK Mobile,0.1,ALL,\"447, 448\"\nGB,UK,UK Mobile,0.2,\"44, 45\",447\n", "447 0.1 60/60 country=GB \"UK Mobile\"\n448 0.1 60/60 country=GB \"UK Mobile\"\nline 3: a price for calls from 44, 45 only: a rate depends on the called number alone"},
		{"SyncSwitch", "destination,prefix,rate\nAustralia Mobile,\"61 38,39\",0.1\n", "6138 0.1 60/60 \"Australia Mobile\"\n6139 0.1 60/60 \"Australia Mobile\""},
		{"MagnusBilling's users", "prefix;description;price\n44;UK;0,1\n", "44 0.1 60/60 \"UK\""},
	} {
		t.Run(tt.source, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestPricesByJurisdiction(t *testing.T) {
	const text = "code,duration,increment,interrate,intrarate,ijrate,effective_date\n201200,30,6,0.01,0.03,0.02,1/31/2026\n201201,30,6,0.01,,0.04,1/31/2026\n201202,30,6,x,0.1,0.1,1/31/2026\n"
	for _, tt := range []struct {
		says Jurisdiction
		want string
	}{
		{Interstate, "201200 0.01\n201201 0.01\nline 4: price \"x\" is not a number"},
		{Intrastate, "201200 0.03\n201202 0.1\nline 3: no price"},
		{Indeterminate, "201200 0.02\n201201 0.04\n201202 0.1"},
		{HighestPrice, "201200 0.03\n201201 0.04\nline 4: price \"x\" is not a number"},
	} {
		got := readText(t, text, Options{Jurisdiction: tt.says})
		for i := range got.rows {
			if b := brief(got.rows[i]); !strings.HasSuffix(b, " 30/6 from 2026-01-31T00:00") {
				t.Errorf("row %q, want 30/6 from 2026-01-31", b)
			}
		}
		if b := strings.ReplaceAll(got.brief(), " 30/6 from 2026-01-31T00:00", ""); b != tt.want {
			t.Errorf("jurisdiction %d:\n%s\nwant\n%s", tt.says, b, tt.want)
		}
	}
	for _, tt := range []struct {
		text string
		says Jurisdiction
		want string
	}{
		{"prefix,price\n1,1\n", Interstate, "no column has a price by jurisdiction"},
		{"code,interrate\n1,1\n", Intrastate, "no column has the price of that jurisdiction; there are inter"},
	} {
		if _, err := NewReader(strings.NewReader(tt.text), Options{Jurisdiction: tt.says}); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}

func TestWhatTheCallerSaysOfPrefixesAndIntervals(t *testing.T) {
	compare(t, readText(t, "prefix,price\n01144,1\n9011445,1\n0044,1\n011,1\n", Options{Strip: []string{"011", "9011"}}), "44 1.0 60/60\n445 1.0 60/60\n011 1.0 60/60\nline 4: prefix 44 already on line 2")
	compare(t, readText(t, "prefix,price\n01120-01129,1\n", Options{Strip: []string{"011"}, Prepend: "44"}), "442 1.0 60/60")
	compare(t, readText(t, "prefix,price\n44,1\n", Options{Increment: "60/1"}), "44 1.0 60/1")
	for want, o := range map[string]Options{`strip "x": want digits`: {Strip: []string{"x"}}, `increment "0/1": want seconds, as 60/1`: {Increment: "0/1"}, `prepend "+1": want digits`: {Prepend: "+1"}} {
		if _, err := NewReader(strings.NewReader("prefix,price\n1,1\n"), o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	got := readText(t, "prefix,price\n01144,1\n01145,1\n", Options{})
	if w := fmt.Sprint(got.layout.Warnings); !strings.Contains(w, "most prefixes begin with 011") {
		t.Errorf("warnings %s, want one of 011", w)
	}
}

func TestDatesThatNoListMeans(t *testing.T) {
	const head = "prefix,price,valid from,valid till\n"
	compare(t, readText(t, head+"1,1,1970-01-01,\n2,1,1985-01-01,\n3,1,2099-01-01,\n4,1,2026-01-01,2099-12-31\n5,1,2026-01-01,1970-01-01\n", Options{}),
		"1 1.0 60/60\n4 1.0 60/60 from 2026-01-01T00:00 till 2099-12-31T00:00\nline 3: valid from 1985-01-01: want 1990 or later\nline 4: valid from 2099-01-01: want 2079 or earlier\nline 6: valid till 1970-01-01: want 1990 or later")
}

func TestChangesInTheirWords(t *testing.T) {
	for word, want := range map[string]string{
		"No Change on Pending Increase": "same", "Decrease on Pending Increase": "decrease", "Rate Increase": "increase", "New Code": "new",
		"Code deleted": "deleted", "CLOSED": "blocked", "discontinued": "deleted", "N/C": "same", "Current": "same",
	} {
		got := readText(t, "prefix,price,status\n1,0.1,"+word+"\n", Options{})
		if b := got.brief(); b != "1 0.1 60/60 "+want {
			t.Errorf("%q gives %q, want %s", word, b, want)
		}
	}
}

func TestNotesBetweenRatesArePassedOverAndNamed(t *testing.T) {
	got := readText(t, "Destination,Code,Rate\nUK,44,0.1\nPrices without VAT:,,\n,,* subject to change\nTruncated\n,44 20 UK,\nUS,1,0.2\n", Options{})
	compare(t, got, "44 0.1 60/60 \"UK\"\n1 0.2 60/60 \"US\"\nline 5: no prefix\nline 6: prefix \"44 20 UK\": want digits")
	if a := got.layout.Assumptions; len(a) != 2 || a[1] != "lines with a note and no rate are passed over: 3, 4" {
		t.Errorf("assumptions %q", a)
	}
}
