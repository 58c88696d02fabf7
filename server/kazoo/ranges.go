package kazoo

import (
	"strconv"
	"time"
)

const (
	maxRange     = 2_682_000 * time.Second  // 31 days and an hour; Crossbar: maximum_range
	maxYearRange = 31_536_000 * time.Second // audit_summary with created_to
)

// span is a range of instants, both ends included.
type span struct{ from, to time.Time }

// ranged reports whether the client asked for a range.
func (x *exchange) ranged() bool {
	return x.setting("created_from") != "" || x.setting("created_to") != ""
}

// createdRange reads created_from and created_to: to now, from most earlier, unless said otherwise.
func (x *exchange) createdRange(most time.Duration) (span, error) {
	to, sent, err := x.gregorian("created_to")
	if err != nil {
		return span{}, err
	}
	if !sent {
		to = seconds(x.now)
	}
	from, sent, err := x.gregorian("created_from")
	if err != nil {
		return span{}, err
	}
	if !sent {
		from = max(to-int64(most.Seconds()), 0)
	}
	switch {
	case to < from:
		return span{}, invalid("created_from", "date_range", "created_from must be before created_to", "cause", from)
	case to-from > int64(most.Seconds()):
		return span{}, invalid("created_from", "date_range", "the range is wider than "+strconv.FormatInt(int64(most.Seconds()), 10)+" seconds", "cause", from)
	}
	// The last second is included whole.
	return span{instant(from), instant(to).Add(time.Second - time.Nanosecond)}, nil
}

// maxGregorian is the end of the year 9999.
const maxGregorian = 315_569_519_999

func (x *exchange) gregorian(name string) (n int64, sent bool, err error) {
	s := x.setting(name)
	if s == "" {
		return 0, false, nil
	}
	n, ok := whole(s)
	if !ok || n < 0 || n > maxGregorian {
		return 0, false, invalid(name, "type", "Value did not match type integer", "target", "integer", "value", clip(s))
	}
	return n, true, nil
}
