package e164

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed plan.txt
var planText string

// Edition counts the changes of the file. A store takes an edition in once.
const Edition = 1

// Kind says what sort of numbers a network has.
type Kind uint8

// The kinds, numbered as Yeti numbers its network types.
const (
	Any Kind = iota + 1 // fixed or mobile or what else there is
	Fixed
	Mobile
	National // of no place: corporate, VoIP
	SharedCost
	TollFree
	Special // premium rate, personal numbers, services
)

// kinds are the words of the file and what they add to a country's name to make a network's.
var kinds = map[string]struct {
	kind   Kind
	suffix string
}{
	"any": {Any, ""}, "fixed": {Fixed, " Fixed"}, "mobile": {Mobile, " Mobile"}, "national": {National, " National"},
	"shared": {SharedCost, " Shared Cost"}, "tollfree": {TollFree, " Toll-Free"}, "special": {Special, " Special"},
}

// Country is a country or territory with a code of its own in ISO 3166-1, or Kosovo.
type Country struct {
	ISO2 string
	Name string // in English, short
}

// Network is a country's numbers of one kind.
type Network struct {
	Name string
	Kind Kind
}

// Prefix is the beginning of the numbers of a network.
type Prefix struct {
	Digits  string
	Country int // in Plan.Countries, -1 for numbers of no country
	Network int // in Plan.Networks
	Lengths Lengths
}

// Plan is what the file says, in its order.
type Plan struct {
	Countries []Country
	Networks  []Network
	Prefixes  []Prefix
}

// World returns the facts. They are shared and must not be changed.
var World = sync.OnceValue(func() *Plan {
	p, err := parse(planText)
	if err != nil {
		panic("e164: " + err.Error())
	}
	return p
})

// Lengths of whole numbers, with the code. Shorter ones are extensions and services, which begin like a
// foreign number only by accident; longer ones are let be, as switches append what is dialled on.
const (
	minLength     = 7  // Niue and Tokelau: a code of three digits and four more
	minLengthNANP = 11 // the North American plan has 10 digits after the 1
	maxLength     = 100
)

func parse(text string) (*Plan, error) {
	p := &Plan{}
	country, name := -1, ""
	for i, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fail := func(format string, args ...any) (*Plan, error) {
			return nil, fmt.Errorf("plan.txt: line %d: "+format, append([]any{i + 1}, args...)...)
		}
		head, rest, _ := strings.Cut(line, " | ")
		at := strings.IndexAny(head, "=<")
		who, code := head, ""
		if at >= 0 {
			who, code = head[:at], strings.TrimSpace(head[at+1:])
		}
		iso, called, _ := strings.Cut(strings.TrimSpace(who), " ")
		switch {
		case len(iso) != 2:
			return fail("country %q: want two letters", iso)
		case iso == "--":
			country, name = -1, called
		case called != "":
			p.Countries = append(p.Countries, Country{iso, called})
			country, name = len(p.Countries)-1, called
		case country < 0 || p.Countries[country].ISO2 != iso:
			return fail("country %s: want it to go on the line before", iso)
		}
		if at < 0 {
			continue
		}
		if err := p.numbers(country, name, code, head[at] == '=', rest); err != nil {
			return fail("%v", err)
		}
	}
	return p, nil
}

// numbers adds what stands behind a code; whole is whether the code itself is the country's.
func (p *Plan) numbers(country int, name, code string, whole bool, rest string) error {
	parts := strings.Split(rest, " | ")
	own := "any"
	if word := parts[0]; kinds[word].kind != 0 {
		own, parts = word, parts[1:]
	}
	if whole {
		p.add(country, Network{name, kinds[own].kind}, code)
	}
	for _, part := range parts {
		if part == "" {
			continue
		}
		words := strings.Fields(part)
		k, ok := kinds[words[0]]
		if !ok {
			return fmt.Errorf("kind %q is none", words[0])
		}
		for _, word := range words[1:] {
			digits, err := expand(word)
			if err != nil {
				return err
			}
			for _, d := range digits {
				p.add(country, Network{name + k.suffix, k.kind}, code+d)
			}
		}
	}
	return nil
}

// add enters a prefix, and its network when it is the first one of it.
func (p *Plan) add(country int, n Network, digits string) {
	at := len(p.Networks) - 1
	for ; at >= 0 && p.Networks[at].Name != n.Name; at-- {
	}
	if at < 0 {
		p.Networks = append(p.Networks, n)
		at = len(p.Networks) - 1
	}
	least := uint8(minLength)
	if digits[0] == '1' {
		least = minLengthNANP
	}
	p.Prefixes = append(p.Prefixes, Prefix{Digits: digits, Country: country, Network: at, Lengths: Lengths{least, maxLength}})
}

// expand returns the digits that a word stands for: 13-15 is 13, 14 and 15.
func expand(word string) ([]string, error) {
	first, last, ranged := strings.Cut(word, "-")
	if !ranged {
		last = first
	}
	from, err := strconv.Atoi(first)
	if err != nil {
		return nil, fmt.Errorf("digits %q: want digits or a range of them", word)
	}
	to, err := strconv.Atoi(last)
	if err != nil || to < from || len(first) != len(last) {
		return nil, fmt.Errorf("digits %q: want digits or a range of them", word)
	}
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprintf("%0*d", len(first), n))
	}
	return all, nil
}
