package xlsx

import (
	"strconv"
	"strings"
	"time"
)

// maxExponent is past what a double can have; what is written with more is no number of a spreadsheet.
const maxExponent = 400

// maxDecimals bounds the decimals given: a price has nine.
const maxDecimals = 30

// shown returns a number as a spreadsheet shows it when the column is wide enough: decimal digits,
// rounded to 15 significant ones, half away from zero. false: v is no number.
func shown(v string) (string, bool) {
	negative := strings.HasPrefix(v, "-")
	mantissa, exponent := strings.TrimLeft(v, "+-"), 0
	if len(v)-len(mantissa) > 1 {
		return "", false
	}
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		n, err := strconv.Atoi(strings.TrimPrefix(mantissa[i+1:], "+"))
		if err != nil || n > maxExponent || n < -maxExponent {
			return "", false
		}
		mantissa, exponent = mantissa[:i], n
	}
	units, decimals, _ := strings.Cut(mantissa, ".")
	digits := units + decimals
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	point := len(units) + exponent // digits before the point
	trimmed := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	if trimmed == "" {
		return "0", true
	}
	kept, carried := roundDigits(trimmed)
	if carried {
		point++
	}
	s := place(kept, point)
	if negative && s != "0" {
		s = "-" + s
	}
	return s, true
}

// roundDigits rounds significant digits to maxShownDigit and takes zeros off the end. carried says that
// 99…9 became 1 with one more digit before the point.
func roundDigits(d string) (kept string, carried bool) {
	if len(d) > maxShownDigit {
		b := []byte(d[:maxShownDigit])
		up := d[maxShownDigit] >= '5'
		for i := len(b) - 1; up && i >= 0; i-- {
			if b[i]++; b[i] <= '9' {
				up = false
			} else {
				b[i] = '0'
			}
		}
		if up {
			return "1", true
		}
		d = string(b)
	}
	return strings.TrimRight(d, "0"), false
}

// place writes digits with the point behind the first point of them.
func place(digits string, point int) string {
	switch {
	case point > maxShownDigit: // the spreadsheet has lost what is behind
		s := digits[:1]
		if len(digits) > 1 {
			s += "." + digits[1:]
		}
		return s + "E+" + strconv.Itoa(point-1)
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits))
	case point > 0:
		return digits[:point] + "." + digits[point:]
	case -point >= maxDecimals:
		return "0"
	}
	return "0." + strings.Repeat("0", -point) + digits
}

// The days that a date can be: from 1900 to 9999.
const maxSerial = 2_958_465

// days1904 is what a workbook counted from 1904 is behind one counted from 1900.
const days1904 = 1462

// serialZero is the day before day 1, moved for the 29 February 1900 that spreadsheets count.
var serialZero = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// dateText returns a serial number, as shown gives it, as a date; false if it can be none.
func dateText(v string, from1904 bool) (string, bool) {
	whole, fraction, _ := strings.Cut(v, ".")
	n, err := strconv.Atoi(whole)
	if from1904 {
		n += days1904
	}
	if err != nil || n < 1 || n > maxSerial {
		return "", false
	}
	day := serialZero.AddDate(0, 0, n)
	if fraction == "" {
		return day.Format(time.DateOnly), true
	}
	const places = 9
	fraction = (fraction + strings.Repeat("0", places))[:places]
	part, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil {
		return "", false
	}
	const secondsADay, scale = 86_400, 1_000_000_000
	seconds := (part*secondsADay + scale/2) / scale
	return day.Add(time.Duration(seconds) * time.Second).Format(time.DateTime), true
}

// isDateFormat says that a style's format shows a date: it names a day or a year outside of quotes,
// brackets and escapes. A month or minute alone, m, tells nothing, nor does a time of day.
func isDateFormat(format string) bool {
	for i := 0; i < len(format); i++ {
		switch c := format[i]; c {
		case '"', '[':
			end := byte('"')
			if c == '[' {
				end = ']'
			}
			j := strings.IndexByte(format[i+1:], end)
			if j < 0 {
				return false
			}
			i += j + 1
		case '\\', '_', '*':
			i++
		case 'd', 'D', 'y', 'Y':
			return true
		case ';': // the other sections are for negative numbers, zero and text
			return false
		case 'g', 'G': // General
			return false
		}
	}
	return false
}

// isBuiltinDate says that a built-in format is a date. Source: ECMA-376 part 1, 18.8.30.
func isBuiltinDate(id int) bool {
	return id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58
}
