package deckcsv

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// brief writes a row in the few words that the tables below compare.
func brief(row Row) string {
	t := row.Terms
	s := fmt.Sprintf("%s %s %d/%d", row.Prefix, t.First.Price, t.First.Seconds, t.Next.Seconds)
	add := func(yes bool, format string, args ...any) {
		if yes {
			s += fmt.Sprintf(" "+format, args...)
		}
	}
	add(t.Next.Price != t.First.Price, "next %s", t.Next.Price)
	add(t.ConnectFee != 0, "connect %s", t.ConnectFee)
	add(t.FreeSeconds != 0, "free %d", t.FreeSeconds)
	add(t.Grace != 0, "grace %d", t.Grace)
	add(t.Surcharge != 0, "surcharge %s", t.Surcharge)
	add(t.MinCost != 0, "min %s", t.MinCost)
	add(t.MaxCost != 0, "max %s", t.MaxCost)
	add(!row.From.IsZero(), "from %s", row.From.Format("2006-01-02T15:04"))
	add(!row.Till.IsZero(), "till %s", row.Till.Format("2006-01-02T15:04"))
	add(row.Blocked, "blocked")
	add(row.Change != Unsaid, "%s", row.Change)
	add(row.Type != "", "%s", row.Type)
	for _, e := range row.Extra {
		add(true, "%s=%s", e.Name, e.Value)
	}
	add(row.Name != "", "%q", row.Name)
	return s
}

func (g result) brief() string {
	var out []string
	for _, row := range g.rows {
		out = append(out, brief(row))
	}
	for _, reject := range g.rejects {
		out = append(out, fmt.Sprintf("line %d: %s", reject.Line, reject.Reason))
	}
	return strings.Join(out, "\n")
}

func compare(t *testing.T, got result, want string) {
	t.Helper()
	if b := got.brief(); b != want {
		t.Errorf("got:\n%s\nwant:\n%s\nlayout %+v", b, want, got.layout)
	}
}

func TestDelimitersAndDecimals(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"semicolons with decimal commas", "prefix;description;price\n44;UK;0,05\n1;US;0,007\n", "44 0.05 60/60 \"UK\"\n1 0.007 60/60 \"US\""},
		{"two columns, semicolon against comma", "prefix;price\n44;0,05\n1;0,07\n", "44 0.05 60/60\n1 0.07 60/60"},
		{"tabs", "Code\tRate\n44\t0.05\n", "44 0.05 60/60"},
		{"bars", "Code|Rate|Name\n44|0.05|UK, proper\n", `44 0.05 60/60 "UK, proper"`},
		{"the sep line of a spreadsheet", "sep=;\nCode;Rate\n44;0.05\n", "44 0.05 60/60"},
		{"quoted decimal commas between commas", "prefix,price\n44,\"0,05\"\n1,\"0,07\"\n", "44 0.05 60/60\n1 0.07 60/60"},
		{"bare decimal commas between commas are a column too many", "prefix,name,price\n44,UK,0.05\n1,US,0,07\n", "44 0.05 60/60 \"UK\"\nline 3: 4 columns, want 3"},
		{"thousands with points before a decimal comma", "prefix;price\n44;0,05\n88;1.234,56\n", "44 0.05 60/60\n88 1234.56 60/60"},
		{"thousands with commas before a decimal point", "prefix;price\n44;0.05\n88;1,234.56\n", "44 0.05 60/60\n88 1234.56 60/60"},
		{"a comma that may be either is not guessed", "prefix;price\n44;1,234\n1;2,345\n", "line 2: price 1,234: the comma may part thousands or decimals\nline 3: price 2,345: the comma may part thousands or decimals"},
		{"a decimal point among decimal commas is not guessed", "prefix;price\n44;0,05\n1;0,07\n7;0.08\n", "44 0.05 60/60\n1 0.07 60/60\nline 4: price 0.08: other prices of the file have a decimal comma"},
		{"more decimals than a price holds are rounded once", "prefix,price\n7840,0.28499999999999998\n567,5.7999999999999996E-3\n", "7840 0.285 60/60\n567 0.0058 60/60"},
		{"trailing empty columns are nothing", "prefix,price\n44,0.05,,\n", "44 0.05 60/60"},
		{"lines that end in CR alone", "prefix,price\r44,0.05\r1,0.07\r", "44 0.05 60/60\n1 0.07 60/60"},
		{"lines that end in CR LF, the last not at all", "prefix,price\r\n44,0.05\r\n1,0.07", "44 0.05 60/60\n1 0.07 60/60"},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestDecimalGivenByTheCaller(t *testing.T) {
	const text = "prefix;price\n44;1,234\n"
	compare(t, readText(t, text, Options{Decimal: DecimalComma}), "44 1.234 60/60")
	compare(t, readText(t, text, Options{Decimal: DecimalPoint}), "44 1234.0 60/60")
}

func TestPrefixes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plus, 00, blanks, brackets and hyphens go", "prefix,price\n+44,1\n0049,1\n1 (264),1\n1-345,1\n +33 ,1\n", "44 1.0 60/60\n49 1.0 60/60\n1264 1.0 60/60\n1345 1.0 60/60\n33 1.0 60/60"},
		{"011 and a single zero stay", "prefix,price\n011,1\n0,1\n00,1\n", "011 1.0 60/60\n0 1.0 60/60\n00 1.0 60/60"},
		{"what a spreadsheet rounded is refused", "prefix,price\n4.42E+11,1\n44,1\n", "44 1.0 60/60\nline 2: prefix 4.42E+11: a spreadsheet has rounded it; format the column as text"},
		{"what makes a spreadsheet keep text goes", "prefix,price\n\"=\"\"0044\"\"\",1\n'49,1\n", "44 1.0 60/60\n49 1.0 60/60"},
		{"a range is opened and keeps its zeros", "prefix,price\n4408-4411,1\n", "4408 1.0 60/60\n4409 1.0 60/60\n4410 1.0 60/60\n4411 1.0 60/60"},
		{"a hyphen that may be either is not guessed", "prefix,price\n1-264,1\n44-55,1\n", "1264 1.0 60/60\nline 3: prefix 44-55: a range, or a number with a hyphen? write it without"},
		{"a list of whole prefixes", "prefix,price\n\"4420,4421|4422\",1\n", "4420 1.0 60/60\n4421 1.0 60/60\n4422 1.0 60/60"},
		{"a list too long for a line", "prefix,price\n\"" + strings.Repeat("1,", maxOpened) + "2,3\",1\n45,1\n", "45 1.0 60/60\nline 2: more than 10000 prefixes in one line"},
		{"a list in brackets whose items repeat the country", "code,price\n\"(+1-829,1809,1849)\",1\n", "1829 1.0 60/60\n1809 1.0 60/60\n1849 1.0 60/60"},
		{"a list behind its country code", "code,price\n\"61 38,39\",1\n", "6138 1.0 60/60\n6139 1.0 60/60"},
		{"one bad item of a list is one reject", "prefix,price\n44|x|45,1\n", "44 1.0 60/60\n45 1.0 60/60\nline 2: prefix \"x\": want digits"},
		{"country and area in two columns", "Country Code,Area Code,Rate\n44,,1\n44,\"20,21\",2\n44,30-32,3\n", "44 1.0 60/60\n4420 2.0 60/60\n4421 2.0 60/60\n4430 3.0 60/60\n4431 3.0 60/60\n4432 3.0 60/60"},
		{"the complete code goes before its parts", "Country Code,Area Code,Complete Code,Rate\n44,,44,1\n44,20,4420,2\n", "44 1.0 60/60\n4420 2.0 60/60"},
		{"a list in the destination column", "Country Prefix,Destination,First Interval,Next Interval,First Price,Next Price\n44,\"20,21,30-31\",60,6,0.02,0.01\n", "4420 0.02 60/6 next 0.01\n4421 0.02 60/6 next 0.01\n4430 0.02 60/6 next 0.01\n4431 0.02 60/6 next 0.01"},
		{"a wide range becomes the fewest prefixes", "prefix,price\n100000-199999,1\n4400-4419,2\n44020-44119,3\n", "1 1.0 60/60\n440 2.0 60/60\n441 2.0 60/60\n4402 3.0 60/60\n4403 3.0 60/60\n4404 3.0 60/60\n4405 3.0 60/60\n4406 3.0 60/60\n4407 3.0 60/60\n4408 3.0 60/60\n4409 3.0 60/60\n4410 3.0 60/60\n4411 3.0 60/60"},
		{"a pattern is no prefix", "prefix,price\n^\\+1(\\d+)$,1\n44*,1\n", "line 2: prefix \"^\\\\+1(\\\\d+)$\" is a pattern, not a prefix\nline 3: prefix \"44*\" is a pattern, not a prefix"},
		{"the same prefix twice", "prefix,price\n44,1\n45,1\n44,2\n", "44 1.0 60/60\n45 1.0 60/60\nline 4: prefix 44 already on line 2"},
		{"the same prefix from another day", "prefix,price,effective date\n44,1,2026-01-01\n44,2,2026-02-01\n44,3,2026-02-01\n", "44 1.0 60/60 from 2026-01-01T00:00\n44 2.0 60/60 from 2026-02-01T00:00\nline 4: prefix 44 already on line 3"},
		{"no prefix, and one that is too long", "prefix,price\n,1\n" + strings.Repeat("4", 65) + ",1\n", "line 2: no prefix\nline 3: prefix \"4444444444444444444444444444444444444444…\": want at most 64 digits"},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestPrices(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"currency signs and codes", "prefix,price\n1,$0.1\n2,0.2 USD\n3,US$0.3\n", "1 0.1 60/60\n2 0.2 60/60\n3 0.3 60/60"},
		{"a second currency in one file", "prefix,price\n1,USD 0.1\n2,€0.2\n", "1 0.1 60/60\nline 3: price €0.2 is in EUR, the file in USD"},
		{"ranges, negatives, words and blanks", "prefix,price\n1,$0.1-$0.2\n2,-0.1\n3,free\n4,\n", "line 2: price is a range: $0.1-$0.2\nline 3: price -0.1 is negative\nline 4: price \"free\" is not a number\nline 5: no price"},
		{"blocked in place of a price", "prefix,price\n1,blocked\n2,N/A\n3,0.1\n", "1 0.0 60/60 blocked\n2 0.0 60/60 blocked\n3 0.1 60/60"},
		{"a price per second", "prefix,rate/sec\n1,0.001\n", "1 0.06 60/60"},
		{"a price in cents", "prefix,Price (cents/min)\n1,1.5\n", "1 0.015 60/60"},
		{"a header of units alone", "prefix,USD/min\n1,1.5\n", "1 1.5 60/60"},
		{"the new rate goes before the old", "prefix,rate,new rate\n1,0.1,0.2\n", "1 0.2 60/60"},
		{"a price beyond every rate", "prefix,price\n1,1000000001\n2,99999999999999999999\n", "line 2: price 1000000001: want at most 1000000000\nline 3: price \"99999999999999999999\" is not a number"},
		{"deleted needs no price", "prefix,price,status\n1,,Deleted\n2,0.1,No Change\n3,0.2,Increase\n4,0.3,Active\n5,0.4,Inactive\n", "1 0.0 60/60 deleted\n2 0.1 60/60 same\n3 0.2 60/60 increase\n4 0.3 60/60\n5 0.4 60/60 enabled=false"},
		{"a column that says discontinued", "prefix,price,discontinued\n1,0.1,Y\n2,0.1,N\n", "1 0.1 60/60 deleted\n2 0.1 60/60"},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestIntervals(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"pairs in their spellings", "prefix,price,billing increment\n1,1,60/1\n2,1,1-1\n3,1,30+6\n4,1,30s+6s\n5,1,m\n6,1,6\n7,1,60/1/60\n", "1 1.0 60/1\n2 1.0 1/1\n3 1.0 30/6\n4 1.0 30/6\n5 1.0 60/60\n6 1.0 6/6\n7 1.0 60/1"},
		{"two columns", "prefix,price,min,int\n1,1,30,6\n2,1,0,6\n3,1,30,\n4,1,30,0\n", "1 1.0 30/6\n2 1.0 6/6\n3 1.0 30/30\nline 5: next interval 0: want at least 1 second"},
		{"one of two columns", "prefix,price,Initial Interval,Increment\n1,1,30,6\n2,1,,6\n", "1 1.0 30/6\n2 1.0 6/6"},
		{"minutes where the header says so", "prefix,price,Initial interval (min)\n1,1,1\n", "1 1.0 60/60"},
		{"what a spreadsheet made a date of", "prefix,price,increments\n1,1,01-Jan\n2,1,01/01/2026\n3,1,0\n", "line 2: increment \"01-Jan\": want seconds, as 60/1\nline 3: increment \"01/01/2026\": a spreadsheet turned it into a date\nline 4: increment 0: want at least 1 second"},
		{"a pair too large to multiply", "prefix,price,increments\n1,1,99999999999\n2,1,99999999m\n", "line 2: increment \"99999999999\": want seconds, as 60/1\nline 3: increment \"99999999m\": want seconds, as 60/1"},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestDates(t *testing.T) {
	head := "prefix;price;effective date;end date\n"
	for _, tt := range []struct{ name, text, want string }{
		{"year first, dots, months by name, serials", "1;1;2026-01-31;\n2;1;31.01.2026;\n3;1;31-Jan-26;\n4;1;20260131;\n5;1;46053;\n6;1;2026/01/31;\n7;1;2026-01-31 12:30;\n",
			"1 1.0 60/60 from 2026-01-31T00:00\n2 1.0 60/60 from 2026-01-31T00:00\n3 1.0 60/60 from 2026-01-31T00:00\n4 1.0 60/60 from 2026-01-31T00:00\n5 1.0 60/60 from 2026-01-31T00:00\n6 1.0 60/60 from 2026-01-31T00:00\n7 1.0 60/60 from 2026-01-31T12:30"},
		{"another row shows that the day is first", "1;1;03/04/2026;\n2;1;31/12/2026;\n", "1 1.0 60/60 from 2026-04-03T00:00\n2 1.0 60/60 from 2026-12-31T00:00"},
		{"another row shows that the month is first", "1;1;3/4/2026;\n2;1;12/31/2026;\n", "1 1.0 60/60 from 2026-03-04T00:00\n2 1.0 60/60 from 2026-12-31T00:00"},
		{"nothing shows the order", "1;1;03/04/2026;\n2;1;05/05/2026;\n", "2 1.0 60/60 from 2026-05-05T00:00\nline 2: date 03/04/2026: day or month first? nothing in the file tells"},
		{"from and till", "1;1;2026-01-01;2026-02-01\n2;1;2026-02-01;2026-01-01\n", "1 1.0 60/60 from 2026-01-01T00:00 till 2026-02-01T00:00\nline 3: valid till 2026-01-01: want later than valid from 2026-02-01"},
		{"no such day", "1;1;2026-02-30;\n2;1;soon;\n", "line 2: date \"2026-02-30\" is not one that billd reads; best is 2006-01-31\nline 3: date \"soon\" is not one that billd reads; best is 2006-01-31"},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, head+tt.text, Options{}), tt.want) })
	}
}

func TestDatesAreReadInTheCallersZone(t *testing.T) {
	got := readText(t, "prefix,price,effective date\n1,1,2026-07-01\n", Options{Location: time.FixedZone("", 3*3600)})
	compare(t, got, "1 1.0 60/60 from 2026-06-30T21:00")
	got = readText(t, "prefix,price,effective date\n1,1,03/04/2026\n", Options{Dates: MonthFirst})
	compare(t, got, "1 1.0 60/60 from 2026-03-04T00:00")
}

func TestFileShapes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"title rows, blank rows and a footer", "ACME Telecom,,\nIssued:,2026-05-08,\n,,\nDestination,Code,Rate\nUK,44,0.1\n,,\n\nUS,1,0.2\nTotal,,2\nPrices without VAT,,\n", "44 0.1 60/60 \"UK\"\n1 0.2 60/60 \"US\"\nline 9: no prefix"},
		{"a header repeated below", "Destination,Code,Rate\nUK,44,0.1\nDestination,Code,Rate\n", "44 0.1 60/60 \"UK\"\nline 3: a header, not a rate"},
		{"no header, name before the prefix", "UK,44,0.1\nUS,1,0.2\nFR,33,0.3\n", "44 0.1 60/60 \"UK\"\n1 0.2 60/60 \"US\"\n33 0.3 60/60 \"FR\""},
		{"no header, a row number in front", "1,44,0.1\n2,45,0.2\n3,46,0.3\n", "44 0.1 60/60\n45 0.2 60/60\n46 0.3 60/60"},
		{"no header, increments behind", "44;0.1;60/1\n45;0.2;1/1\n", "44 0.1 60/1\n45 0.2 1/1"},
		{"quotes, doubled and over two lines", "prefix,name,price\n44,\"say \"\"hi\"\"\",0.1\n45,\"two\nlines\",0.2\n46,a \"b\" c,0.3\n", "44 0.1 60/60 \"say \\\"hi\\\"\"\n45 0.2 60/60 \"two\\nlines\"\n46 0.3 60/60 \"a \\\"b\\\" c\""},
		{"a quote never closed costs its own line only", "prefix,name,price\n44,\"UK,0.1\n45,\"X\",0.2\n46,Y,0.3\n", "45 0.2 60/60 \"X\"\n46 0.3 60/60 \"Y\"\nline 2: a quote is opened and never closed"},
		{"the fields of PortSIP", strings.Join(portSIPColumns, ",") + "\n44,MOBILE,10,30,60,15,0.05,0.01,0.12,0.08,UK\n", "44 0.12 60/15 next 0.08 connect 0.05 free 10 grace 30 surcharge 0.01 MOBILE \"UK\""},
		{"the fields of Kazoo", "prefix,rate_cost,rate_minimum,rate_increment,rate_surcharge,rate_nocharge_time,weight,direction,iso_country_code,rate_name\n44,0.1,60,6,0.02,5,10,outbound,GB,UK\n", "44 0.1 60/6 connect 0.02 grace 6 weight=10 direction=outbound country=GB \"UK\""},
		{"the fields of Yeti", "Prefix,Initial rate,Next rate,Connect fee,Initial interval,Next interval,Dst number min length,Enabled,Valid from\n44,0.2,0.1,0.02,60,6,9,yes,2026-01-01\n", "44 0.2 60/6 next 0.1 connect 0.02 from 2026-01-01T00:00 min_length=9 enabled=true"},
		{"an extra that is not what it must be", "prefix,price,weight\n44,0.1,heavy\n", "line 2: weight \"heavy\": want a whole number"},
		{"a notice with titles, units and spreadsheet dates", "Carrier Services,,,,,,\nRate notice of 2026-05-08,,,,,,\n,,,,,,\nDestination,Country Code,Area Code,Complete Code,Rates (USD / Min),Valid From,Pulse\nAbkhazia,7,840,7840,0.285,44554,1/1\nIndia,91,,91,0.022585,44554,60/60\n",
			"7840 0.285 1/1 from 2021-12-24T00:00 \"Abkhazia\"\n91 0.022585 60/60 from 2021-12-24T00:00 \"India\""},
		{"a header and nothing else", "prefix,price\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, readText(t, tt.text, Options{}), tt.want) })
	}
}

func TestColumnsNamedByTheCaller(t *testing.T) {
	compare(t, readText(t, "code,interrate,intrarate\n201200,0.1,0.2\n", Options{Columns: map[string]string{"Inter Rate": "price"}}), "201200 0.1 60/60")
	compare(t, readText(t, "61,38,0.1,0.2\n61,39,0.3,0.4\n", Options{Columns: map[string]string{"#1": "country_code", "#2": "area_code", "#4": "price"}}), "6138 0.2 60/60\n6139 0.4 60/60")
	compare(t, readText(t, "id,rate,code\n1,0.1,44\n", Options{Columns: map[string]string{"rate": "ignored", "#1": "price"}}), "44 1.0 60/60")
}

func TestLongLineIsOneReject(t *testing.T) {
	text := "prefix,name,price\n44,UK,0.1\n45," + strings.Repeat("x", 3<<20) + ",0.2\n46,Z,0.3\n"
	compare(t, readText(t, text, Options{}), "44 0.1 60/60 \"UK\"\n46 0.3 60/60 \"Z\"\nline 3: longer than 1048576 bytes")
}

func TestQuotesOpenedOnEveryLineTakeNoLonger(t *testing.T) {
	const n = 100_000
	got := readText(t, "prefix,name,price\n"+strings.Repeat("44,\"x,1\n", n), Options{})
	if len(got.rows) != 0 || len(got.rejects) != n {
		t.Errorf("rows %d, rejects %d; want 0, %d", len(got.rows), len(got.rejects), n)
	}
}

func TestSlowAndFailingStreams(t *testing.T) {
	r, err := NewReader(iotest.OneByteReader(strings.NewReader("prefix,price\n44,0.1\n45,0.2\n")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, readAll(t, r), "44 0.1 60/60\n45 0.2 60/60")
	if r.Read() != 27 {
		t.Errorf("read %d bytes, want 27", r.Read())
	}
	big := "prefix,price\n" + strings.Repeat("44,0.1\n", 200_000)
	r, err = NewReader(io.MultiReader(strings.NewReader(big), iotest.ErrReader(io.ErrClosedPipe)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err = r.Next(); err != nil {
			break
		}
	}
	if err != io.ErrClosedPipe {
		t.Errorf("error %v, want the stream's own", err)
	}
}

func TestWarnings(t *testing.T) {
	var text strings.Builder
	text.WriteString("prefix,price,surcharge\n")
	for i := range 20 {
		fmt.Fprintf(&text, "%d,0.1,0\n", 100+i)
	}
	text.WriteString("999,2339,0\n")
	got := readText(t, text.String(), Options{})
	want := []string{
		`column 3, "surcharge", is not read`,
		"prices of at least 1000 times the median of about 0.1: 1; the lowest of them is 2339.0, the highest of the others 0.1; a decimal point may be lost",
	}
	if fmt.Sprint(got.layout.Warnings) != fmt.Sprint(want) {
		t.Errorf("warnings %q, want %q", got.layout.Warnings, want)
	}
}
