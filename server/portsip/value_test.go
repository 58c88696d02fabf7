package portsip

import (
	"strings"
	"testing"
)

func TestNumbersAreRoundedOnceInDecimal(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"five decimals are kept", "0.12345", "0.12345"},
		{"a sixth decimal rounds half away from zero", "0.654321", "0.65432"},
		{"a half is rounded up", "0.000605", "0.00061"},
		{"digits beyond the ninth decide nothing twice", "0.0000049999999999", "0"},
		{"a float's noise is dropped", "0.7000000000000001", "0.7"},
		{"an exponent is a number", "1e-05", "0.00001"},
		{"an exponent with a sign", "1.5E+2", "150"},
		{"an exponent that rounds away", "4e-06", "0"},
		{"an exponent that rounds up", "5e-6", "0.00001"},
		{"an exponent beyond counting is 0", "1e-99999999999999999999", "0"},
		{"0 with any exponent is 0", "0e99999999999999999999", "0"},
		{"below zero, away from zero", "-0.000005", "-0.00001"},
		{"whole", "120", "120"},
		{"below one, below zero", "-0.5", "-0.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := parseUnits(tt.in)
			if got := decimal(n); err != nil || got != tt.want {
				t.Errorf("%s = %s (%v), want %s", tt.in, got, err, tt.want)
			}
		})
	}
	for _, in := range []string{"1e30", "1e99999999999999999999", "9999999999999999999999"} {
		if n, err := parseUnits(in); err == nil {
			t.Errorf("%s = %d, want out of range", in, n)
		}
	}
}

func TestIDsAreBase64OfDigits(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     uint64
		bad      bool
	}{
		{"the vendor's sample", "NzAwNTUxOTA5NzczMTQ4MTYw", 700551909773148160, false},
		{"nineteen digits end in two signs", encodeID(1878156644691742720), 1878156644691742720, false},
		{"the signs may be escaped", strings.ReplaceAll(encodeID(1878156644691742720), "=", "%3D"), 1878156644691742720, false},
		{"one digit", "Nw==", 7, false},
		{"a leading zero names nothing", encodeText("0100"), 0, false},
		{"no padding", "Nw", 0, true},
		{"letters", "abc", 0, true},
		{"base64 of letters", "aGVsbG8=", 0, true},
		{"twenty digits", encodeText("12345678901234567890"), 0, true},
		{"empty", "", 0, true},
		{"a line end inside", "Nw=\n=", 0, true},
		{"bits left over", "Nx==", 0, true},
		{"not base64", "!!!!", 0, true},
		{"a broken escape", "%zz", 0, true},
		{"the bare decimal", "700551909773148160", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeID(tt.in)
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("decodeID(%q) = %d, %v, want %d", tt.in, got, err, tt.want)
			}
		})
	}
}
