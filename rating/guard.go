package rating

import (
	"fmt"
	"strconv"
	"strings"
)

// GuardRule names one thing that the fraud guard watches of an account's own calls.
type GuardRule uint8

// The rules. An hour is one of the clock in UTC, a day and a night are of the account's zone, and a call
// belongs to those that it began in. Calls that were not answered are not counted; what any call costs is.
const (
	GuardSpendHour   GuardRule = iota // what the calls of an hour cost, VAT included
	GuardSpendDay                     // what the calls of a day cost
	GuardRiskCalls                    // calls of an hour to high-risk prefixes
	GuardRiskMinutes                  // their talk time
	GuardConcurrent                   // calls at the same time: open reservations
	GuardNightCalls                   // calls of a night
	GuardNightSpend                   // what they cost
	NumGuardRules
)

var guardWords = [NumGuardRules]string{"spend-hour", "spend-day", "risk-calls", "risk-minutes", "concurrent", "night-calls", "night-spend"}

// String returns the rule's word.
func (r GuardRule) String() string { return guardWords[min(r, NumGuardRules-1)] }

// ParseGuardRule reads a rule's word. Fails with Invalid, naming them all.
func ParseGuardRule(word string) (GuardRule, error) {
	for r, w := range guardWords {
		if w == word {
			return GuardRule(r), nil
		}
	}
	return 0, Broken("rule", "inclusion", strings.Join(guardWords[:], ", "), "rule %s: want one of %s", quoteShort(word), strings.Join(guardWords[:], ", "))
}

// IsMoney reports whether the rule's limit is an amount, in the account's currency; else it counts.
func (r GuardRule) IsMoney() bool {
	return r == GuardSpendHour || r == GuardSpendDay || r == GuardNightSpend
}

// Figure spells what the rule compares: an amount, or a count.
func (r GuardRule) Figure(n int64) string {
	if r.IsMoney() {
		return Money(n).String()
	}
	return strconv.FormatInt(n, 10)
}

// maxGuardCount bounds limits that count: far above any, and minutes of it in seconds fit an int64.
const maxGuardCount = 1_000_000_000

// ParseLimit reads a limit of the rule. Fails with Invalid if it is below 0, or no number of its kind.
func (r GuardRule) ParseLimit(text string) (int64, error) {
	if r.IsMoney() {
		m, err := ParseMoney(text)
		if err != nil || m < 0 {
			return 0, Broken("limit", "number", "", "limit %s of %s: want an amount from 0 on", quoteShort(text), r)
		}
		return int64(m), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxGuardCount {
		return 0, Broken("limit", "number", "", "limit %s of %s: want a whole number from 0 to %d", quoteShort(text), r, maxGuardCount)
	}
	return n, nil
}

// GuardAction says what happens when a limit is passed.
type GuardAction uint8

// The actions. An account's Off takes a rule of the defaults away; none is nothing said.
const (
	GuardNone GuardAction = iota
	GuardOff
	GuardNotify // an alarm is raised and told of
	GuardBlock  // and the account's next calls are refused
)

var guardActions = [...]string{"", "off", "notify", "block"}

// String returns the action's word.
func (a GuardAction) String() string { return guardActions[a&3] }

// ParseGuardAction reads an action's word. Fails with Invalid.
func ParseGuardAction(word string) (GuardAction, error) {
	for a, w := range guardActions {
		if w == word && w != "" {
			return GuardAction(a), nil
		}
	}
	return 0, Broken("action", "inclusion", "off, notify, block", "action %s: want notify, block or off", quoteShort(word))
}

// GuardLimit is one rule as it is set.
type GuardLimit struct {
	Action GuardAction
	Limit  int64 // Money or a count: what may be reached but not passed
	Passes bool  // a block ends by itself with the hour, the day or the night, not only by an operator
}

// Watches reports whether the rule is looked at.
func (l *GuardLimit) Watches() bool { return l.Action >= GuardNotify }

// Guard is what is watched of an account, or of all where it is the default.
type Guard struct {
	Rules [NumGuardRules]GuardLimit
	Night GuardNight
}

// IsZero reports whether g says nothing.
func (g *Guard) IsZero() bool { return *g == Guard{} }

// Over returns g with what it does not say taken from the defaults.
func (g *Guard) Over(defaults *Guard) Guard {
	is := *g
	for r := range is.Rules {
		if is.Rules[r].Action == GuardNone {
			is.Rules[r] = defaults.Rules[r]
		}
	}
	if is.Night == (GuardNight{}) {
		is.Night = defaults.Night
	}
	return is
}

// Watches reports whether any rule is looked at.
func (g *Guard) Watches() bool {
	for r := range g.Rules {
		if g.Rules[r].Watches() {
			return true
		}
	}
	return false
}

// GuardTally says what is counted for the guard alone; what a day's calls cost is counted anyway.
type GuardTally uint8

// The tallies: calls of an hour, those of them to high-risk prefixes, calls of a night.
const (
	GuardHour GuardTally = iota
	GuardRisk
	GuardNights
	NumGuardTallies
)

// Counts returns the tallies that g's rules ask for, the bits of their numbers set.
func (g *Guard) Counts() (tallies uint8) {
	for r := range g.Rules {
		if t, ok := GuardRule(r).Tally(); ok && g.Rules[r].Watches() {
			tallies |= 1 << t
		}
	}
	return tallies
}

// Tally returns the tally that the rule compares; none for those that compare what is known anyway.
func (r GuardRule) Tally() (GuardTally, bool) {
	switch r {
	case GuardSpendHour:
		return GuardHour, true
	case GuardRiskCalls, GuardRiskMinutes:
		return GuardRisk, true
	case GuardNightCalls, GuardNightSpend:
		return GuardNights, true
	}
	return 0, false
}

// GuardPrefixes are the high-risk prefixes that a store begins with: numbers of no country, which cost much
// and are what stolen accounts call first. 870 is Inmarsat, 881 and 882 and 883 satellite and other
// networks of no country, 878 personal numbers, 888 disaster relief, 979 international premium rate.
// Source: ITU-T, list of assigned country codes of Recommendation E.164.
func GuardPrefixes() []string { return []string{"870", "878", "881", "882", "883", "888", "979"} }

// maxGuardPrefixes bounds the list of high-risk prefixes.
const maxGuardPrefixes = 10_000

// CheckGuardPrefixes checks a list of high-risk prefixes and returns it as it is kept: digits alone.
// Fails with Invalid.
func CheckGuardPrefixes(list []string) ([]string, error) {
	if len(list) > maxGuardPrefixes {
		return nil, Broken("prefixes", "maximum", strconv.Itoa(maxGuardPrefixes), "%d prefixes: want at most %d", len(list), maxGuardPrefixes)
	}
	kept := make([]string, 0, len(list))
	for _, p := range list {
		p = strings.TrimPrefix(strings.TrimSpace(p), "+")
		if p == "" || strings.Trim(p, "0123456789") != "" || len(p) > maxGuardPrefix {
			return nil, Broken("prefixes", "format", "", "prefix %s: want 1 to %d digits", quoteShort(p), maxGuardPrefix)
		}
		kept = append(kept, p)
	}
	return kept, nil
}

// maxGuardPrefix is how long a high-risk prefix may be: E.164 numbers have no more digits.
const maxGuardPrefix = 15

// GuardList finds high-risk numbers. The zero list finds none.
type GuardList struct {
	prefixes map[string]struct{}
	lengths  [maxGuardPrefix + 1]bool
}

// NewGuardList makes a list of prefixes that CheckGuardPrefixes returned.
func NewGuardList(prefixes []string) GuardList {
	l := GuardList{prefixes: make(map[string]struct{}, len(prefixes))}
	for _, p := range prefixes {
		l.prefixes[p] = struct{}{}
		l.lengths[len(p)] = true
	}
	return l
}

// Holds reports whether a number begins with one of the prefixes; a + in front of it does not count.
func (l *GuardList) Holds(number string) bool {
	number = strings.TrimPrefix(number, "+")
	for n := 1; n < len(l.lengths) && n <= len(number); n++ {
		if l.lengths[n] {
			if _, ok := l.prefixes[number[:n]]; ok {
				return true
			}
		}
	}
	return false
}

// GuardGate is what the guard says of an account that asks for a call.
type GuardGate struct {
	Blocked string // why and since when it is blocked, "" if it is not
	Refuses bool   // more than Most calls at the same time are refused
	Most    int64
}

// admits asks the gate for one more call beside those that are reserved.
func (g *GuardGate) admits(a *Account, held bool, calls uint64) (refused, detail string) {
	switch {
	case g.Blocked != "":
		return RefusedGuard, g.Blocked
	case g.Refuses && !held && calls >= uint64(max(g.Most, 0)):
		return RefusedGuard, fmt.Sprintf("account %d: the fraud guard allows %d calls at the same time", a.ID, g.Most)
	}
	return "", ""
}

// Threshold returns a limit of the rule in what is compared with it: minutes in seconds.
func (r GuardRule) Threshold(limit int64) int64 {
	if r == GuardRiskMinutes {
		return limit * 60
	}
	return limit
}

// Shown returns what is compared as it is shown: begun minutes.
func (r GuardRule) Shown(value int64) int64 {
	if r == GuardRiskMinutes {
		return (value + 59) / 60
	}
	return value
}
