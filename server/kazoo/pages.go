package kazoo

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// pageSize returns how many rows a listing wants; 0 for all.
func (x *exchange) pageSize() (int, error) {
	if x.query.Get("paginate") == "false" || x.setting("paginate") == "false" {
		return 0, nil
	}
	s := x.setting("page_size")
	if s == "" {
		return defaultPageSize, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0, invalid("page_size", "minimum", "page_size must be a positive number", "target", 1, "value", clip(s))
	}
	return min(n, maxPageSize), nil
}

// ascending reports whether a listing by time is to begin with the oldest row; Kazoo's begin with the
// newest.
func (x *exchange) ascending() bool {
	return x.setting("ascending") == "true" || x.setting("descending") == "false"
}

const (
	defaultPageSize = 50    // Crossbar: load_view_default_page_size
	maxPageSize     = 2_000 // rows; paginate=false asks for all
	maxUnpaged      = 200_000
)

// timed is what a listing by time is asked for.
type timed struct {
	span
	size  int    // rows of a page, 0 for all
	start string // the place that start_key names, "" for the first row
	page  *page
}

// timed reads the range, the size and the start of a listing by time.
func (x *exchange) timed() (t timed, err error) {
	if t.span, err = x.createdRange(maxRange); err != nil {
		return t, err
	}
	if t.size, err = x.pageSize(); err != nil {
		return t, err
	}
	if t.page = (&page{start: x.setting("start_key")}); t.page.start != "" {
		t.start, err = decodeKey(t.page.start)
	}
	return t, err
}

// number reads the place as the number of a row; 0 for the first row.
func (t *timed) number() (uint64, error) {
	if t.start == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(t.start, 10, 64)
	if err != nil {
		return 0, strangeKey(t.page.start)
	}
	return n, nil
}

// strangeKey refuses a start_key that no listing gave.
func strangeKey(key string) *failure {
	return invalid("start_key", "invalid", "start_key is not one that a listing gave", "value", clip(key))
}

// pagedBy answers with the page of rows that the request asks for. key is a row's place, and rows are
// in the order that order says.
func pagedBy[T any](x *exchange, rows []T, key func(T) string, order func(a, b string) int) (*answer, error) {
	size, err := x.pageSize()
	if err != nil {
		return nil, err
	}
	start := x.setting("start_key")
	if start != "" {
		from, err := decodeKey(start)
		if err != nil {
			return nil, err
		}
		i, _ := slices.BinarySearchFunc(rows, from, func(r T, k string) int { return order(key(r), k) })
		rows = rows[i:]
	}
	p := &page{start: start}
	if size == 0 && len(rows) > maxUnpaged {
		return nil, invalid("paginate", "maximum", "too many rows: ask for pages", "target", maxUnpaged)
	}
	if size > 0 && len(rows) > size {
		p.next = encodeKey(key(rows[size]))
		rows = rows[:size]
	}
	p.size = len(rows)
	if rows == nil {
		rows = []T{}
	}
	return &answer{data: rows, page: p}, nil
}

// encodeKey makes an opaque key of a row's place.
func encodeKey(place string) string { return "k" + hex.EncodeToString([]byte(place)) }

func decodeKey(key string) (string, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(key, "k"))
	if err != nil || !strings.HasPrefix(key, "k") {
		return "", strangeKey(key)
	}
	return string(b), nil
}
