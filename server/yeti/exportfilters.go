package yeti

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// countryFilters are conditions on a country by its two letters, and the columns that hold its number.
var countryFilters = map[string]string{"src_country_iso": "src_country_id", "dst_country_iso": "dst_country_id"}

// listOps are the operators of columns that hold whole numbers.
var listOps = []string{"include", "exclude", "empty"}

// splitExportFilter takes the name of an export's filter apart.
func splitExportFilter(name string) (column, op string) {
	for _, op := range listOps {
		if column, ok := strings.CutSuffix(name, "_"+op); ok {
			return column, op
		}
	}
	return splitFilter(name)
}

// exportable reports whether operators may ask for a filter: every column by the operators of its
// kind, and countries by their letters.
func exportable(name string) bool {
	column, op := splitExportFilter(name)
	if countryFilters[column] != "" {
		return op == "eq" || op == "in"
	}
	f, ok := rating.CDRFieldNamed(column)
	if !ok {
		return false
	}
	switch kind := f.Kind(); op {
	case "eq", "not_eq":
		return true
	case "in", "not_in":
		return kind != rating.KindBool
	case "contains":
		return kind.IsText()
	case "gteq", "lteq", "gt", "lt":
		return !kind.IsText() && kind != rating.KindBool
	case "include", "exclude", "empty":
		return kind == rating.KindInts
	}
	return false
}

// readExportFilters turns the filters of a document into conditions, spells its moments as they are
// shown, and returns which filters ask for something: null, and an empty list, do not. The message says
// what is wrong with them.
func readExportFilters(r *jsonapi.Request, e *storage.CDRExport, allowed func(name string) bool) (asked map[string]bool, message string) {
	asked = map[string]bool{}
	var unknown []string
	shown := []byte{'{'}
	e.Where = nil
	gjson.ParseBytes(e.Filters).ForEach(func(k, v gjson.Result) bool {
		if !allowed(k.Str) {
			unknown = append(unknown, k.Str)
			return true
		}
		cond, raw, ok := exportCond(r, k.Str, v)
		if cond == nil && ok {
			return true
		}
		if ok {
			_, err := cond.Compile()
			ok = err == nil
		}
		switch {
		case !ok:
			message = k.Str + " is invalid"
			return false
		case asked[k.Str]:
			message = k.Str + " is given twice"
			return false
		}
		asked[k.Str] = true
		e.Where = append(e.Where, *cond)
		if len(shown) > 1 {
			shown = append(shown, ',')
		}
		shown = append(append(append(append(shown, '"'), k.Str...), `":`...), raw...)
		return true
	})
	if len(unknown) > 0 {
		message = strings.Join(unknown, ", ") + " not allowed"
	}
	e.Filters = append(shown, '}')
	return asked, message
}

// exportCond reads one filter; raw is the value as it is shown. A nil condition asks for nothing.
func exportCond(r *jsonapi.Request, name string, v gjson.Result) (cond *storage.ExportCond, raw string, ok bool) {
	column, op := splitExportFilter(name)
	cond = &storage.ExportCond{Field: column, Op: op}
	var values, shown []string
	one := func(v gjson.Result) bool {
		text, scalar := jsonapi.Input{Result: v}.Scalar()
		raw := v.Raw
		if f, _ := rating.CDRFieldNamed(column); f.Kind() == rating.KindTime && countryFilters[column] == "" {
			t, isTime := jsonapi.ParseInstant(text, time.UTC)
			scalar = scalar && isTime
			text, raw = t.Format(time.RFC3339Nano), `"`+jsonapi.FormatInstant(t)+`"`
		}
		values, shown = append(values, text), append(shown, raw)
		return scalar
	}
	switch {
	case v.Type == gjson.Null || v.IsArray() && len(v.Array()) == 0:
		return nil, "", true
	case op == "in" || op == "not_in":
		if !v.IsArray() {
			return nil, "", false
		}
		ok = true
		v.ForEach(func(_, item gjson.Result) bool {
			ok = one(item)
			return ok
		})
		cond.Values, raw = values, "["+strings.Join(shown, ",")+"]"
	default:
		ok = one(v)
		cond.Value, raw = values[0], shown[0]
	}
	if column := countryFilters[column]; column != "" && ok {
		cond, ok = countryCond(r, column, values)
	}
	return cond, raw, ok
}

// countryCond asks for countries of these two letters.
func countryCond(r *jsonapi.Request, column string, codes []string) (*storage.ExportCond, bool) {
	cond := &storage.ExportCond{Field: column, Op: "in"}
	for _, code := range codes {
		c, err := r.Tx.CountryByISO2(code)
		r.Fail(ignoreMissing(err))
		if c == nil || err != nil {
			return nil, false
		}
		cond.Values = append(cond.Values, strconv.FormatUint(c.ID, 10))
	}
	return cond, true
}
