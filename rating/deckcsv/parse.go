package deckcsv

import (
	"fmt"
	"strconv"
	"strings"

	"billd/rating"
)

// changeWords are what stands in a column of changes, as letters alone.
var changeWords = map[string]Change{
	"new": New, "n": New, "added": New, "add": New, "newcode": New,
	"increase": Increase, "increased": Increase, "inc": Increase, "i": Increase, "up": Increase, "rateincrease": Increase,
	"decrease": Decrease, "decreased": Decrease, "dec": Decrease, "d": Decrease, "down": Decrease, "ratedecrease": Decrease,
	"nochange": Same, "same": Same, "unchanged": Same, "current": Same, "nc": Same, "s": Same,
	"deleted": Deleted, "delete": Deleted, "del": Deleted, "removed": Deleted, "discontinued": Deleted, "withdrawn": Deleted,
	"a": New, "r": Deleted, // JeraSoft's policy: add, remove
	"active": Unsaid, "enabled": Unsaid, "open": Unsaid,
}

// changePhrases are what longer words of a change begin with or hold; the one that stands first counts, so that
// "no change on pending increase" is no change.
var changePhrases = []struct {
	word   string
	change Change
}{
	{"nochange", Same}, {"unchanged", Same}, {"increas", Increase}, {"decreas", Decrease}, {"delet", Deleted}, {"remov", Deleted},
	{"discontinu", Deleted}, {"withdraw", Deleted}, {"new", New},
}

// changeOf reads a cell of changes, as letters alone.
func changeOf(word string) (Change, bool) {
	if c, ok := changeWords[word]; ok {
		return c, true
	}
	first, change := len(word), Unsaid
	for _, p := range changePhrases {
		if i := strings.Index(word, p.word); i >= 0 && i < first {
			first, change = i, p.change
		}
	}
	return change, change != Unsaid
}

var typeWords = map[string]string{
	"local": "LOCAL", "national": "NATIONAL", "domestic": "NATIONAL", "international": "INTERNATIONAL", "intl": "INTERNATIONAL",
	"mobile": "MOBILE", "cellular": "MOBILE",
}

// cell returns the trimmed cell of a field, nil where the row has none.
func (r *Reader) cell(cells [][]byte, f Field) []byte {
	i := r.at[f]
	if i < 0 || i >= len(cells) {
		return nil
	}
	return trim(cells[i])
}

// parse fills row from the cells, all but the prefix, which it returns, or leaves several in r.pending.
// The second string is why the line gives no rate.
func (r *Reader) parse(row *Row, cells [][]byte) (string, string) {
	for i := len(r.header); i < len(cells); i++ {
		if len(trim(cells[i])) > 0 {
			return "", fmt.Sprintf("%d columns, want %d", len(cells), len(r.header))
		}
	}
	if f := r.at[FieldFormat]; f >= 0 && (f >= len(cells) || string(cells[f]) != formatBilld) {
		return "", "format: want " + formatBilld
	}
	prefix, reason := r.prefixes(cells)
	if reason != "" {
		return "", reason
	}
	for _, step := range [...]func(*Reader, *Row, [][]byte) string{
		(*Reader).origin, (*Reader).standing, (*Reader).money, (*Reader).intervals, (*Reader).thresholds, (*Reader).validity, (*Reader).words,
	} {
		if reason := step(r, row, cells); reason != "" {
			return "", reason
		}
	}
	return prefix, ""
}

// standing reads whether the rate is blocked or withdrawn, which says whether it needs a price.
func (r *Reader) standing(row *Row, cells [][]byte) string {
	for _, f := range [...]Field{FieldBlocked, FieldDeleted} {
		cell := r.cell(cells, f)
		if len(cell) == 0 {
			continue
		}
		yes, ok := parseYesNo(string(cell))
		if !ok {
			return fmt.Sprintf("%s %q: want yes or no", f, cell)
		}
		row.Given.add(f)
		if yes && f == FieldBlocked {
			row.Blocked = true
		} else if yes {
			row.Change = Deleted
		}
	}
	cell := r.cell(cells, FieldChange)
	if len(cell) == 0 {
		return ""
	}
	word := strings.Join(wordsOf(r.text(cell)), "")
	change, ok := changeOf(word)
	switch {
	case ok:
		row.Given.add(FieldChange)
		row.Change = max(row.Change, change)
	case word == "inactive" || word == "disabled":
		row.Extra = append(row.Extra, Extra{"enabled", "false"})
	case blockedPrices[word]:
		row.Blocked = true
		row.Given.add(FieldBlocked)
	default:
		r.warnOnce("change", "a change billd does not know is read as none: %q", r.text(cell))
	}
	return ""
}

// money reads prices, fees and bounds.
func (r *Reader) money(row *Row, cells [][]byte) string {
	t := &row.Terms
	cell := r.priceCell(cells)
	if len(cell) == 0 && !row.Blocked && row.Change != Deleted {
		return "no price"
	}
	if len(cell) > 0 {
		v, reason := r.amount(cell, FieldPrice)
		switch {
		case reason == "":
			t.First.Price = rating.Price(v)
			row.Given.add(FieldPrice)
		case blockedPrices[normal(r.text(cell))]:
			row.Blocked = true
			row.Given.add(FieldBlocked)
		default:
			return reason
		}
	}
	t.Next.Price = t.First.Price
	for _, f := range [...]Field{FieldNextPrice, FieldConnect, FieldSurcharge, FieldMinCost, FieldMaxCost} {
		cell := r.cell(cells, f)
		if len(cell) == 0 {
			continue
		}
		v, reason := r.amount(cell, f)
		if reason != "" {
			return reason
		}
		row.Given.add(f)
		millionths := divide(v, 1000)
		switch f {
		case FieldNextPrice:
			t.Next.Price = rating.Price(v)
		case FieldConnect:
			t.ConnectFee = rating.Money(millionths)
		case FieldSurcharge:
			t.Surcharge = rating.Fraction(millionths)
		case FieldMinCost:
			t.MinCost = rating.Money(millionths)
		case FieldMaxCost:
			t.MaxCost = rating.Money(millionths)
		}
	}
	return ""
}

// thresholds reads free seconds and grace, and asks rating whether surcharge and bounds can be charged by.
func (r *Reader) thresholds(row *Row, cells [][]byte) string {
	t := &row.Terms
	for _, f := range [...]Field{FieldFree, FieldGrace, FieldNoCharge} {
		v, given, reason := r.seconds(row, cells, f)
		switch {
		case reason != "":
			return reason
		case given && f == FieldFree:
			t.FreeSeconds = v
		case given && f == FieldGrace:
			t.Grace = v
		case given && v > 0: // Kazoo: a call of just that many seconds is still free
			t.Grace = v + 1
		}
	}
	if t.Surcharge == 0 && t.MinCost == 0 && t.MaxCost == 0 {
		return "" // amount and intervals have bounded the rest, as Valid would
	}
	if err := t.Valid(); err != nil {
		return err.Error()
	}
	return ""
}

// words reads the name, the type and the extras.
func (r *Reader) words(row *Row, cells [][]byte) string {
	exact := r.layout.Form == FormBilld
	cell := r.cell(cells, FieldName)
	if i := r.at[FieldName]; exact && i >= 0 && i < len(cells) {
		cell = cells[i]
	}
	if len(cell) > 0 {
		if string(cell) != r.lastName {
			r.lastName = string(cell)
			if !exact {
				r.lastName = r.text(cell)
			}
		}
		row.Name = r.lastName
		row.Given.add(FieldName)
	}
	if cell := r.cell(cells, FieldType); len(cell) > 0 {
		row.Type = typeWords[strings.ToLower(string(cell))]
		if row.Type != "" {
			row.Given.add(FieldType)
		}
	}
	for _, c := range r.extras {
		if c.at >= len(cells) || len(cells[c.at]) == 0 {
			continue
		}
		value := string(cells[c.at])
		if !exact {
			value = strings.TrimSpace(r.text(cells[c.at]))
		}
		value, ok := c.kind.check(value)
		if !ok {
			return fmt.Sprintf("%s %q: want %s", c.name, clip(value), c.kind)
		}
		if value != "" {
			row.Extra = append(row.Extra, Extra{c.name, value})
		}
	}
	return ""
}

func parseYesNo(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "1", "t", "on":
		return true, true
	case "false", "no", "n", "0", "f", "off":
		return false, true
	}
	return false, false
}

// String returns what an extra of the kind must be.
func (k extraKind) String() string {
	return [...]string{"text", "a whole number", "yes or no"}[k]
}

// check returns the value in the one spelling of its kind.
func (k extraKind) check(value string) (string, bool) {
	switch {
	case value == "" || k == anyText:
		return value, true
	case k == yesNo:
		yes, ok := parseYesNo(value)
		if !ok {
			return value, false
		}
		return strconv.FormatBool(yes), true
	}
	_, err := strconv.ParseInt(value, 10, 64)
	return value, err == nil
}
