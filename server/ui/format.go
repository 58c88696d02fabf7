package ui

import (
	"fmt"
	"html/template"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"billd/rating"
)

// functions are what templates call. Money arrives as Money and leaves as text, exact or rounded; it is
// never a float.
func functions() template.FuncMap {
	return template.FuncMap{
		"count":   count,
		"money":   func(m rating.Money, c rating.Currency) amount { return amount{m, c, c.MinorUnits()} },
		"fine":    func(m rating.Money, c rating.Currency) amount { return amount{m, c, fineUnits(c)} },
		"whole":   wholeAmount,
		"price":   price,
		"percent": func(p rating.Percent) string { return p.Number() + " %" },
		"talk":    talk,
		"data":    dataText,
		"gb":      func(n uint64) string { return rating.Bytes(n).Short(rating.GB) },
		"seconds": func(n uint32) string { return talk(int64(n)) },
		"steps":   func(t rating.Terms) string { return fmt.Sprintf("%d/%d", t.First.Seconds, t.Next.Seconds) },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":   func(t time.Time) string { return t.UTC().Format(time.TimeOnly) },
		"day":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
	}
}

// accountLink is an account as a table cell names it.
type accountLink struct {
	ID   rating.AccountID
	Name string
}

// amount is money as a page shows it: rounded for the eye, exact in its title.
type amount struct {
	money    rating.Money
	Currency rating.Currency
	places   int
}

// fineUnits is how many decimals the price of one call is shown with: two beyond the currency's.
func fineUnits(c rating.Currency) int { return min(c.MinorUnits()+2, 6) }

// Text returns the rounded amount with digits in groups of three and a real minus sign.
func (a amount) Text() string {
	whole, decimals, _ := strings.Cut(a.money.Abs().Round(a.places).String(), ".")
	decimals = strings.TrimRight(decimals, "0")
	text := grouped(whole)
	if a.places > 0 {
		text += "." + decimals + strings.Repeat("0", a.places-len(decimals))
	}
	if a.money.Round(a.places) < 0 {
		text = "−" + text
	}
	return text
}

// Exact returns every decimal that is stored, and the currency.
func (a amount) Exact() string {
	return strings.TrimSpace(a.money.String() + " " + a.Currency.String())
}

// Negative reports whether the amount that is shown is below zero.
func (a amount) Negative() bool { return a.money.Round(a.places) < 0 }

// wholeAmount is an amount with every decimal that it has, and at least the currency's: a line of a statement.
func wholeAmount(m rating.Money, c rating.Currency) amount {
	_, decimals, _ := strings.Cut(m.String(), ".")
	return amount{m, c, max(len(strings.TrimRight(decimals, "0")), c.MinorUnits())}
}

// grouped puts commas between groups of three digits.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// count writes a whole number, or what a pointer to one leads to, with its digits in groups.
func count(n any) string {
	if p, ok := n.(*int64); ok {
		n = *p
	}
	digits, minus := strings.CutPrefix(fmt.Sprint(n), "-")
	if minus {
		return "−" + grouped(digits)
	}
	return grouped(digits)
}

// price writes a price per minute with at least four decimals, so that columns line up.
func price(p rating.Price) string {
	whole, decimals, _ := strings.Cut(p.String(), ".")
	const least = 4
	return whole + "." + decimals + strings.Repeat("0", max(least-len(decimals), 0))
}

// talk writes seconds as 1:02:03 or 2:05.
func talk(seconds int64) string {
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// share writes part of whole in percent with one decimal, "–" of nothing.
func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	r := new(big.Rat).Mul(big.NewRat(part, whole), big.NewRat(100, 1))
	return strings.Replace(r.FloatString(1), "-", "−", 1) + " %"
}

// bytesText writes a size in the unit that leaves at most four digits.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for n >= 10_000 && i < len(units)-1 {
		n, i = n/1000, i+1
	}
	return strconv.FormatInt(n, 10) + " " + units[i]
}

// sentence makes a sentence of an error's text.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// dataText writes an amount of bytes, a plain number or rating.Bytes, in a unit.
func dataText(n any, unit rating.ByteUnit) string {
	switch n := n.(type) {
	case rating.Bytes:
		return n.Short(unit)
	case uint64:
		return rating.Bytes(n).Short(unit)
	}
	return "–"
}
