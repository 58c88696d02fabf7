package xlsx

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestNumbersAreWhatASpreadsheetShows(t *testing.T) {
	for written, want := range map[string]string{
		"0.28499999999999998": "0.285", "5.7999999999999996E-3": "0.0058", "0.12000000000000001": "0.12", "0.16350000000000001": "0.1635",
		"2.2585000000000001E-2": "0.022585", "0.30000000000000004": "0.3", "16.445": "16.445", "0.99999999999999989": "1", "9.9999999999999995E-7": "0.000001",
		"44554": "44554", "44": "44", "4.4E1": "44", "442012345678": "442012345678", "4.42012345678E11": "442012345678", "123456789012345": "123456789012345",
		"1234567890123456": "1.23456789012346E+15", "0": "0", "-0": "0", "0.000": "0", "1.50": "1.5", "100": "100", "1E2": "100", "-2.50": "-2.5", ".5": "0.5", "5.": "5",
		"1E-40": "0", "0.1000000000000005": "0.100000000000001", "1.0000000000000049": "1", "999999999999999.9": "1E+15", "45055.481261574103": "45055.4812615741",
	} {
		if got, ok := shown(written); !ok || got != want {
			t.Errorf("shown(%s) = %q, %t; want %q", written, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", ".", "x", "1x", "1e", "1e5000", "+-1", "0x10", "NaN", "Infinity", "1,5", "1 2"} {
		if got, ok := shown(s); ok {
			t.Errorf("shown(%q) = %q, want none", s, got)
		}
	}
}

// Every decimal of up to nine decimals, written as spreadsheets write the double nearest to it, is read
// as the decimal that was meant.
func TestPricesSurviveTheirDoubles(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 20_000 {
		n, decimals := rng.Int64N(1_000_000_000_000), rng.IntN(10)
		s := strconv.FormatInt(n, 10)
		if len(s) <= decimals {
			s = strings.Repeat("0", decimals-len(s)+1) + s
		}
		meant := s[:len(s)-decimals]
		if rest := strings.TrimRight(s[len(s)-decimals:], "0"); rest != "" {
			meant += "." + rest
		}
		f, err := strconv.ParseFloat(meant, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := shown(strconv.FormatFloat(f, 'G', 17, 64)); !ok || got != meant {
			t.Fatalf("seed %d: %s is written %s and read %q", seed, meant, strconv.FormatFloat(f, 'G', 17, 64), got)
		}
	}
}

func TestDates(t *testing.T) {
	for _, tt := range []struct {
		v        string
		from1904 bool
		want     string
	}{
		{"44554", false, "2021-12-24"}, {"45055.4812615741", false, "2023-05-09 11:33:01"}, {"46053", false, "2026-01-31"}, {"44591", true, "2026-01-31"},
		{"0.5", false, ""}, {"-1", false, ""}, {"2958466", false, ""}, {"x", false, ""}, {"46053.9999999999", false, "2026-02-01 00:00:00"},
	} {
		if got, _ := dateText(tt.v, tt.from1904); got != tt.want {
			t.Errorf("dateText(%s, %t) = %q, want %q", tt.v, tt.from1904, got, tt.want)
		}
	}
	for format, want := range map[string]bool{
		"d/m/yyyy": true, "[$-409]d\\-mmm\\-yy;@": true, "yyyy\\-mm\\-dd": true, "0.0000": false, "General": false, "#,##0.00\\ \"days\"": false,
		"[Red]0.00": false, "h:mm": false, "mm:ss": false, "0.00;dd": false, "\"unclosed": false, "[h]:mm": false,
	} {
		if got := isDateFormat(format); got != want {
			t.Errorf("isDateFormat(%q) = %t, want %t", format, got, want)
		}
	}
}

func FuzzShown(f *testing.F) {
	for _, s := range []string{"0.28499999999999998", "5.8E-3", "9999999999999999", "-1.5e+10", "1e-399", "000.000", "17977" + strings.Repeat("0", 304)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := shown(s)
		if !ok {
			return
		}
		v, err := strconv.ParseFloat(s, 64)
		back, err2 := strconv.ParseFloat(got, 64)
		if err2 != nil && err == nil || err == nil && math.Abs(v-back) > math.Abs(v)*1e-14+1e-29 {
			t.Fatalf("shown(%q) = %q", s, got)
		}
	})
}
