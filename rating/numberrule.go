package rating

import (
	"slices"
	"strconv"
	"strings"
)

// NumberRule is one step on the way from a number as a switch writes it to the one that is rated. Its text
// is a word and what it is about; lengths, as 7 or 7-9, are digits of the number before the rule.
//
//	digits                       all but digits, * and #, and a + in front, goes
//	strip PREFIX [LENGTHS]       the prefix goes
//	prepend DIGITS [LENGTHS]     digits come in front
//	replace PREFIX DIGITS [LENGTHS]
//	keep PREFIX [LENGTHS]        the number is whole: no later rule is tried
//	international PREFIX         a number in full: the prefix goes, and no later rule is tried
//	national PREFIX CODE [LENGTHS]  the prefix becomes the country's code, and no later rule is tried
//	local CODE LENGTHS           code comes in front, and no later rule is tried
//	country CC                   digits, +, the country's way to dial abroad and its national numbers
//
// A rule that would leave nothing of a number does nothing.
type NumberRule struct {
	text        string
	verb        string
	match, with string
	least, most int // digits, 0 for any
	plan        *dialPlan
}

// NumberRules are tried in order; each sees what those before it made.
type NumberRules []NumberRule

// Limits of rules.
const (
	maxNumberRules = 50
	maxRuleText    = 200 // bytes
)

// ruleForms says what follows a rule's word: p a prefix, d digits, l lengths, L lengths that must be there, c a country.
var ruleForms = map[string]string{"digits": "", "strip": "pl", "prepend": "dl", "replace": "pdl", "keep": "pl",
	"international": "p", "national": "pdl", "local": "dL", "country": "c"}

// ParseNumberRule reads a rule. Fails with Invalid.
func ParseNumberRule(s string) (NumberRule, error) {
	words := strings.Fields(s)
	if len(words) == 0 || len(s) > maxRuleText {
		return NumberRule{}, wrongRule(s, "want a word such as strip and what it is about")
	}
	r := NumberRule{text: strings.Join(words, " "), verb: words[0]}
	form, ok := ruleForms[r.verb]
	if !ok {
		return r, wrongRule(s, "want digits, strip, prepend, replace, keep, international, national, local or country")
	}
	words = words[1:]
	for _, c := range form {
		if len(words) == 0 {
			if c == 'l' {
				continue
			}
			return r, wrongRule(s, "something is missing behind it")
		}
		if !r.take(c, words[0]) {
			return r, wrongRule(s, map[rune]string{'p': "want a prefix of digits, + * #", 'd': "want digits", 'l': "want lengths such as 7 or 7-9",
				'L': "want lengths such as 7 or 7-9", 'c': "want a country of " + dialledCountries()}[c])
		}
		words = words[1:]
	}
	if len(words) > 0 {
		return r, wrongRule(s, "too many words")
	}
	return r, nil
}

func wrongRule(s, why string) error {
	return Broken("rule", "format", "", "number rule %q: %s", clip(s), why)
}

// take reads one word of a rule.
func (r *NumberRule) take(kind rune, word string) (ok bool) {
	switch kind {
	case 'p':
		r.match = word
		return strings.Trim(word, "0123456789+*#") == ""
	case 'd':
		r.with = word
		return strings.Trim(word, "0123456789") == ""
	case 'c':
		r.plan = dialPlans[strings.ToUpper(word)]
		return r.plan != nil
	}
	least, most, ranged := strings.Cut(word, "-")
	if !ranged {
		most = least
	}
	var bad [2]error
	r.least, bad[0] = strconv.Atoi(least)
	r.most, bad[1] = strconv.Atoi(most)
	return bad[0] == nil && bad[1] == nil && r.least > 0 && r.least <= r.most
}

// ParseNumberRules reads a list of rules.
func ParseNumberRules(list []string) (rs NumberRules, err error) {
	if len(list) > maxNumberRules {
		return nil, Broken("rules", "maximum", strconv.Itoa(maxNumberRules), "%d number rules, want at most %d", len(list), maxNumberRules)
	}
	for _, s := range list {
		r, err := ParseNumberRule(s)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// String returns the rule as it is written.
func (r NumberRule) String() string { return r.text }

// Apply returns what the rules make of a number.
func (rs NumberRules) Apply(number string) string {
	return rs.Trace(number, func(NumberRule, string, string) {})
}

// Trace is Apply that tells of each rule that was tried, with the number before and after it.
func (rs NumberRules) Trace(number string, told func(r NumberRule, before, after string)) string {
	for _, r := range rs {
		after, ends := r.apply(number)
		if after == "" {
			after, ends = number, false
		}
		told(r, number, after)
		if number = after; ends {
			break
		}
	}
	return number
}

// apply returns what the rule makes of n, and whether no later rule is tried.
func (r *NumberRule) apply(n string) (after string, ends bool) {
	if r.verb == "digits" {
		return onlyDigits(n), false
	}
	if r.plan != nil {
		return r.plan.apply(onlyDigits(n))
	}
	if r.most > 0 && (digitCount(n) < r.least || digitCount(n) > r.most) || !strings.HasPrefix(n, r.match) {
		return n, false
	}
	rest := n[len(r.match):]
	switch r.verb {
	case "strip":
		return rest, false
	case "keep":
		return n, true
	case "international":
		return rest, true
	case "prepend", "replace":
		return r.with + rest, false
	}
	return r.with + rest, true // national, local
}

// onlyDigits leaves digits, * and #, and a + in front.
func onlyDigits(n string) string {
	plain := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c == '*' || c == '#' {
			return c
		}
		return -1
	}, n)
	if plain != "" && strings.HasPrefix(strings.TrimSpace(n), "+") {
		return "+" + plain
	}
	return plain
}

func digitCount(n string) (count int) {
	for i := range len(n) {
		if n[i]-'0' <= 9 {
			count++
		}
	}
	return count
}

// apply makes an E.164 number of n, dialled in the plan's country; ends is false for one that it does not know.
func (p *dialPlan) apply(n string) (after string, ends bool) {
	for _, abroad := range append([]string{"+"}, p.abroad...) {
		if rest, ok := strings.CutPrefix(n, abroad); ok && rest != "" {
			return rest, true
		}
	}
	const leastNational = 6 // digits: what is shorter is a service of its own
	if rest, ok := strings.CutPrefix(n, p.trunk); ok && p.trunk != "" && len(n) >= leastNational {
		return p.code + rest, true
	}
	for _, lead := range p.leads {
		if strings.HasPrefix(n, lead.begins) && slices.Contains(lead.lengths, len(n)) {
			return p.code + n, true
		}
	}
	return n, false
}
