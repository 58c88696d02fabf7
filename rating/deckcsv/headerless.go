package deckcsv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"billd/rating"
)

// usualSeconds are the numbers that stand in an increment column without a word beside them.
var usualSeconds = []string{"1", "6", "10", "12", "15", "18", "20", "30", "60"}

// isPrefixLike says that s could be a prefix, or a list or range of them.
func isPrefixLike(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune("+()- |,;'", c):
			return false
		}
	}
	return digits > 0 && (digits <= 15 || strings.ContainsAny(s, "|,;-"))
}

// isPriceLike says that s could be a price: a number of up to six digits before its decimals, with
// a currency beside it or not.
func isPriceLike(s string) bool {
	_, digits := cutCurrency([]byte(s))
	units, marks := 0, 0
	for _, c := range digits {
		switch {
		case c == '.' || c == ',':
			marks++
		case c < '0' || c > '9':
			return false
		case marks == 0:
			units++
		}
	}
	return len(digits) > marks && units <= 6 && marks <= 2
}

func hasDecimals(s string) bool { return strings.ContainsAny(s, ".,") }

func isIncrementLike(s string) bool {
	if !strings.ContainsAny(s, "/-+:smSM") {
		return false
	}
	_, _, _, err := parseIncrement([]byte(s))
	return err == ""
}

func isDateLike(s string) bool {
	d := dates{order: DayFirst}
	if !strings.ContainsAny(s, "-/.") || len(s) < 8 {
		return false
	}
	if _, err := d.parse(s); err == "" {
		return true
	}
	d.order = MonthFirst
	_, err := d.parse(s)
	return err == ""
}

func justDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}

// isData says that a row has a cell like a prefix and another like a price.
func isData(cells []string) bool {
	prefix := slices.IndexFunc(cells, isPrefixLike)
	if prefix < 0 {
		return false
	}
	for i, c := range cells {
		if i != prefix && isPriceLike(c) {
			return true
		}
	}
	return false
}

// mostlyData says that the rows go on as they begin, so that the first is no title with two numbers.
func mostlyData(rows []line) bool {
	rows = rows[:min(len(rows), 10)]
	data := 0
	for _, row := range rows {
		if isData(row.cells) {
			data++
		}
	}
	return 2*data > len(rows)
}

// planNumbered takes the columns that Options number, and nothing else.
func (r *Reader) planNumbered(rows []line, numbered map[int]string) error {
	width := 0
	for i := range numbered {
		width = max(width, i+1)
	}
	for _, row := range rows {
		width = max(width, len(row.cells))
	}
	if width > maxColumns {
		return rating.Errorf(rating.Limit, "columns", "columns: %d, want at most %d", width, maxColumns)
	}
	r.header = make([]heading, width)
	for i, name := range numbered {
		if f, ok := fieldNamed(name); !ok {
			r.header[i].extra = name
		} else if f != Ignored {
			r.at[f] = i
		}
	}
	if r.at[FieldPrefix] < 0 && r.at[FieldCountry] < 0 || r.at[FieldPrice] < 0 {
		return rating.Errorf(rating.Invalid, "columns", "columns: want a number for prefix and one for price")
	}
	r.planUnits(r.header)
	r.planExtras(r.header)
	r.describe(r.header)
	return nil
}

// planHeaderless finds the columns by what stands in them, and refuses where two could be the one.
func (r *Reader) planHeaderless(rows []line) error {
	width := commonWidth(rows)
	rows = slices.DeleteFunc(slices.Clone(rows), func(row line) bool { return len(row.cells) != width })
	r.header = make([]heading, width)
	prefix, err := headerlessPrefix(rows, width)
	if err != nil {
		return err
	}
	r.at[FieldPrefix] = prefix
	price, err := headerlessPrice(rows, width, prefix)
	if err != nil {
		return err
	}
	r.at[FieldPrice] = price
	r.headerlessRest(rows, width)
	r.planUnits(r.header)
	r.describe(r.header)
	said := fmt.Sprintf("no header: prefix is column %d, price column %d", prefix+1, price+1)
	for _, f := range [...]Field{FieldName, FieldIncrement, FieldFrom} {
		if i := r.at[f]; i >= 0 {
			said += fmt.Sprintf(", %s column %d", f, i+1)
		}
	}
	r.assume(said)
	return nil
}

func commonWidth(rows []line) int {
	count := map[int]int{}
	best := 0
	for _, row := range rows {
		n := len(row.cells)
		count[n]++
		if count[n] > count[best] || (count[n] == count[best] && n > best) {
			best = n
		}
	}
	return best
}

// mostCells is the part of a column that must be alike: the rest may be a stray header or a footer.
const mostCells = 0.9

func headerlessPrefix(rows []line, width int) (int, error) {
	for i := range width {
		if share(rows, i, isPrefixLike) < mostCells || isRowID(rows, i) {
			continue
		}
		if distinct(rows, i) < 0.9 {
			return 0, rating.Errorf(rating.Invalid, "header", "no header, and column %d has the same digits in many lines: say which column is the prefix", i+1)
		}
		return i, nil
	}
	return 0, rating.Errorf(rating.Invalid, "header", "no prefix column: no header, and no column of digits")
}

// isRowID says that column i counts 1, 2, 3 … while another column could be the prefix.
func isRowID(rows []line, i int) bool {
	if len(rows) < 3 {
		return false
	}
	for n, row := range rows {
		if row.cells[i] != strconv.Itoa(n+1) {
			return false
		}
	}
	for j := i + 1; j < len(rows[0].cells); j++ {
		if share(rows, j, isPrefixLike) >= mostCells && distinct(rows, j) >= 0.9 {
			return true
		}
	}
	return false
}

func distinct(rows []line, i int) float64 {
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row.cells[i]] = true
	}
	return float64(len(seen)) / float64(max(len(rows), 1))
}

func headerlessPrice(rows []line, width, prefix int) (int, error) {
	var decimal, whole []int
	for i := range width {
		if i == prefix || share(rows, i, isPriceLike) < mostCells {
			continue
		}
		if share(rows, i, hasDecimals) > 0 {
			decimal = append(decimal, i)
		} else {
			whole = append(whole, i)
		}
	}
	from := decimal
	if len(from) == 0 {
		from = whole
	}
	switch len(from) {
	case 0:
		return 0, rating.Errorf(rating.Invalid, "header", "no price per minute: no header, and no column of prices")
	case 1:
		return from[0], nil
	}
	return 0, rating.Errorf(rating.Invalid, "header", "no header, and columns %d and %d could both be the price per minute: say which", from[0]+1, from[1]+1)
}

// headerlessRest finds name, increments and date among the columns that are left.
func (r *Reader) headerlessRest(rows []line, width int) {
	words := func(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }
	usual := func(s string) bool { return slices.Contains(usualSeconds, s) }
	best := 0.0
	for i := range width {
		switch {
		case i == r.at[FieldPrefix] || i == r.at[FieldPrice] || share(rows, i, func(string) bool { return true }) == 0:
		case r.at[FieldIncrement] < 0 && share(rows, i, isIncrementLike) >= mostCells, r.at[FieldIncrement] < 0 && share(rows, i, usual) == 1:
			r.at[FieldIncrement] = i
		case r.at[FieldFrom] < 0 && share(rows, i, isDateLike) >= mostCells:
			r.at[FieldFrom] = i
		case share(rows, i, words) > 0.5:
			if d := distinct(rows, i); d > best {
				best, r.at[FieldName] = d, i
			}
		default:
			r.warnf("column %d is not read: no header says what it is", i+1)
		}
	}
}
