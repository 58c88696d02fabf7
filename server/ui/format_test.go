package ui

import (
	"testing"

	"billd/rating"
)

func TestAmountsReadAsMoney(t *testing.T) {
	eur, jpy, kwd := rating.Currency{'E', 'U', 'R'}, rating.Currency{'J', 'P', 'Y'}, rating.Currency{'K', 'W', 'D'}
	for _, tt := range []struct {
		name     string
		amount   amount
		text     string
		exact    string
		negative bool
	}{
		{"cents are rounded half away", amount{1_234_567_895_000, eur, 2}, "1,234,567.90", "1234567.895 EUR", false},
		{"below zero has a minus sign", amount{-1_005_000, eur, 2}, "−1.01", "-1.005 EUR", true},
		{"what rounds to nothing has none", amount{-4_000, eur, 2}, "0.00", "-0.004 EUR", false},
		{"yen have no decimals", amount{1_500_000, jpy, 0}, "2", "1.5 JPY", false},
		{"dinars have three", amount{1_500_000, kwd, 3}, "1.500", "1.5 KWD", false},
		{"a call has two more", amount{34_560, eur, fineUnits(eur)}, "0.0346", "0.03456 EUR", false},
		{"a statement has them all", wholeAmount(-3_660, eur), "−0.00366", "-0.00366 EUR", true},
		{"a statement has cents at least", wholeAmount(83_000_000, eur), "83.00", "83.0 EUR", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.amount.Text(); got != tt.text {
				t.Errorf("Text() = %q, want %q", got, tt.text)
			}
			if got := tt.amount.Exact(); got != tt.exact {
				t.Errorf("Exact() = %q, want %q", got, tt.exact)
			}
			if got := tt.amount.Negative(); got != tt.negative {
				t.Errorf("Negative() = %v, want %v", got, tt.negative)
			}
		})
	}
}

func TestNumbersReadAtAGlance(t *testing.T) {
	minus := int64(-1234)
	for _, tt := range []struct{ name, got, want string }{
		{"thousands are grouped", count(1234567), "1,234,567"},
		{"three digits are not", count(uint64(999)), "999"},
		{"a pointer counts as its number", count(&minus), "−1,234"},
		{"a minute and five", talk(65), "1:05"},
		{"hours", talk(3723), "1:02:03"},
		{"a price keeps what it has", price(12_345_600), "0.0123456"},
		{"a price has four decimals at least", price(9_000_000), "0.0090"},
		{"a share", share(1, 3), "33.3 %"},
		{"a share below zero", share(-1, 8), "−12.5 %"},
		{"a share of nothing", share(1, 0), "–"},
		{"bytes", bytesText(16_777_216), "16 MB"},
		{"few bytes", bytesText(9120), "9120 B"},
		{"a sentence", sentence("account 9: not found"), "Account 9: not found."},
		{"a number as people write it", dialled("+44 (0)20-7946.0000"), "4402079460000"},
		{"a number with 00", dialled("0044 20"), "4420"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}

func TestBarsFillTheChart(t *testing.T) {
	text := func(n int64) string { return count(n) }
	c := newChart(drawing{title: "Calls", whole: "calls", text: text}, 100, []point{{whole: 0}, {whole: 1, part: 1}, {whole: 1 << 62, part: 1 << 61}, {whole: -5}})
	for i, want := range []bar{{X: 0, Y: 100}, {X: 10, Y: 99, H: 1, PartY: 99, PartH: 1}, {X: 20, Y: 0, H: 100, PartY: 50, PartH: 50}, {X: 30, Y: 100}} {
		got := c.Bars[i]
		if got.X != want.X || got.Y != want.Y || got.H != want.H || got.PartH != want.PartH {
			t.Errorf("bar %d = %+v, want %+v", i, got, want)
		}
	}
	if c.Last != 103 || c.Width != 37 {
		t.Errorf("chart ends on day %d and is %d wide, want 103 and 37", c.Last, c.Width)
	}
}
