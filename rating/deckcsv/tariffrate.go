package deckcsv

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"billd/rating"
)

// planRate is the rows of one id of Rates.
type planRate struct {
	slots  []planSlot
	judged bool
	is     rating.Terms
	reason string // why it can be no rate of billd
}

// planSlot is one row: from start on, each increment begun costs its share of price per unit.
type planSlot struct {
	line                                  int
	connect, price, unit, step, startText string
	start                                 time.Duration
	seconds                               uint32
	minute                                rating.Price
}

// bareUnits are what a number without a unit may be said to count.
var bareUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute}

// add notes a row: id, connect fee, rate, unit, increment, start.
func (r *planRate) add(line int, cells []string) {
	cell := func(i int) string {
		if i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	r.slots = append(r.slots, planSlot{line: line, connect: cell(1), price: cell(2), unit: cell(3), step: cell(4), startText: cell(5)})
}

// terms returns what the rate charges; the string is why billd cannot charge so.
func (r *planRate) terms(bare string) (rating.Terms, string) {
	if !r.judged {
		r.judged = true
		r.reason = r.judge(bare)
	}
	return r.is, r.reason
}

func (r *planRate) judge(bare string) string {
	for i := range r.slots {
		if reason := r.slots[i].read(bare); reason != "" {
			return fmt.Sprintf("%s (%s line %d)", reason, PlanFiles[planRates], r.slots[i].line)
		}
	}
	if fee := r.slots[0].connect; fee != "" { // CGRateS takes the fee of the first row
		money, err := rating.ParseMoney(fee)
		if err != nil || money < 0 {
			return fmt.Sprintf("connect fee %q is not a number from 0 on (%s line %d)", clip(fee), PlanFiles[planRates], r.slots[0].line)
		}
		r.is.ConnectFee = money
	}
	slots := slices.SortedStableFunc(slices.Values(r.slots), func(a, b planSlot) int { return int((a.start - b.start) / time.Second) })
	if slots[0].start != 0 {
		return fmt.Sprintf("it begins at %s: want a row that begins at 0", slots[0].startText)
	}
	slots = joinSlots(slots)
	first := slots[0]
	switch {
	case len(slots) == 1:
	case len(slots) > 2:
		return fmt.Sprintf("it has %d different steps: a rate of billd has a first and a next one", len(slots))
	case slots[1].start == time.Duration(first.seconds)*time.Second:
	case first.minute == 0: // free until then, in however many steps
		first.seconds = uint32(slots[1].start / time.Second)
	default:
		return fmt.Sprintf("steps of %ds go on until %s: a rate of billd has one first step", first.seconds, slots[1].startText)
	}
	next := slots[len(slots)-1]
	r.is.First, r.is.Next = rating.Step{Seconds: first.seconds, Price: first.minute}, rating.Step{Seconds: next.seconds, Price: next.minute}
	if err := r.is.Valid(); err != nil {
		return err.Error()
	}
	return ""
}

// joinSlots makes one of neighbours that charge alike and meet at the end of a step.
func joinSlots(slots []planSlot) []planSlot {
	out := slots[:1]
	for _, s := range slots[1:] {
		last := &out[len(out)-1]
		alike := s.minute == last.minute && s.seconds == last.seconds && (s.start-last.start)%(time.Duration(s.seconds)*time.Second) == 0
		if !alike {
			out = append(out, s)
		}
	}
	return out
}

// read makes a price per minute and whole seconds of the cells. The string is why it cannot.
func (s *planSlot) read(bare string) string {
	unit, reason := readUnit("unit", s.unit, bare)
	if reason != "" {
		return reason
	}
	if unit <= 0 {
		return fmt.Sprintf("unit %s: a price wants a time that it is for, as 1m", s.unit)
	}
	step, reason := readUnit("increment", s.step, bare)
	if reason != "" {
		return reason
	}
	if step < time.Second || step%time.Second != 0 || step/time.Second > 1<<32-1 {
		return fmt.Sprintf("increment %s: want whole seconds from 1s on", s.step)
	}
	s.seconds = uint32(step / time.Second)
	if s.startText != "" {
		if s.start, reason = readUnit("start", s.startText, bare); reason != "" {
			return reason
		}
	}
	if s.start < 0 || s.start%time.Second != 0 {
		return fmt.Sprintf("start %s: want whole seconds from 0 on", s.startText)
	}
	price, err := rating.ParsePrice(s.price)
	if err != nil || price < 0 {
		return fmt.Sprintf("rate %q is not a number from 0 on", clip(s.price))
	}
	var ok bool
	if s.minute, ok = perMinute(price, unit); !ok {
		return fmt.Sprintf("rate %s per %s: want at most %d a minute", s.price, s.unit, maxMoney)
	}
	return ""
}

// readUnit reads a duration as CGRateS writes it: 1m, 90s, or a bare number, which its versions take for
// seconds or for billionths of them, and its plans for messages and octets as well.
func readUnit(what, text, bare string) (time.Duration, string) {
	if isDigits(text) && strings.Trim(text, "0") != "" {
		if bare == "" {
			return 0, fmt.Sprintf("%s %s has no unit of time, it may be messages or octets: --bare-unit s if it is seconds", what, clip(text))
		}
		text += bare
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Sprintf("%s %q: want a time, as 1m or 30s", what, clip(text))
	}
	return d, ""
}

// perMinute returns what a minute costs of a price per unit, half away from zero at the last decimal of a
// Price; false if that is more than a rate may cost.
func perMinute(price rating.Price, unit time.Duration) (rating.Price, bool) {
	n := new(big.Int).Mul(big.NewInt(int64(price)), big.NewInt(int64(time.Minute)))
	n.Add(n, big.NewInt(int64(unit/2)))
	n.Quo(n, big.NewInt(int64(unit)))
	if !n.IsInt64() || n.Int64() > maxNano {
		return 0, false
	}
	return rating.Price(n.Int64()), true
}
