package rating

import (
	"bytes"
	"encoding/json"
)

// guardLimitJSON is one rule as it is written: {"action":"block","limit":"100.0","until":"window"}.
type guardLimitJSON struct {
	Action string     `json:"action"`
	Limit  figureText `json:"limit,omitempty"`
	Until  string     `json:"until,omitempty"`
}

// figureText is a figure as text; a JSON number is read as its digits.
type figureText string

// UnmarshalJSON reads text or a number.
func (f *figureText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		*f = figureText(b)
		return nil
	}
	return json.Unmarshal(b, (*string)(f))
}

type guardJSON struct {
	Rules map[string]guardLimitJSON `json:"rules"`
	Night string                    `json:"night,omitempty"`
}

// The ends of a block: an operator's, or that of the hour, day or night.
const (
	guardLifted = "lifted"
	guardWindow = "window"
)

// Until says when the rule's block ends: "lifted" or "window"; "" for a rule that blocks nobody.
func (l *GuardLimit) Until() string {
	switch {
	case l.Action != GuardBlock:
		return ""
	case l.Passes:
		return guardWindow
	}
	return guardLifted
}

// ParseGuardLimit makes a rule of its parts. limit and until are passed over where the action wants none;
// an until of "" is "lifted". Fails with Invalid.
func ParseGuardLimit(rule GuardRule, action, limit, until string) (l GuardLimit, err error) {
	if l.Action, err = ParseGuardAction(action); err != nil || l.Action == GuardOff {
		return l, err
	}
	if l.Limit, err = rule.ParseLimit(limit); err != nil {
		return GuardLimit{}, err
	}
	if l.Action == GuardBlock {
		if l.Passes = until == guardWindow; !l.Passes && until != guardLifted && until != "" {
			return GuardLimit{}, Broken("until", "inclusion", "lifted, window", "until %s: want lifted or window", quoteShort(until))
		}
	}
	return l, nil
}

// MarshalJSON writes the rules that are set under their words.
func (g Guard) MarshalJSON() ([]byte, error) {
	j := guardJSON{Rules: map[string]guardLimitJSON{}}
	for r := range g.Rules {
		l := &g.Rules[r]
		if l.Action == GuardNone {
			continue
		}
		out := guardLimitJSON{Action: l.Action.String(), Until: l.Until()}
		if l.Watches() {
			out.Limit = figureText(GuardRule(r).Figure(l.Limit))
		}
		j.Rules[GuardRule(r).String()] = out
	}
	if g.Night != (GuardNight{}) {
		j.Night = g.Night.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes; a limit may be text or a number. Fails with Invalid, its
// field the one that is wrong.
func (g *Guard) UnmarshalJSON(b []byte) error {
	var j guardJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Broken("rules", "json", "", `want {"rules":{"spend-hour":{"limit":100,"action":"notify"}},"night":"22:00-06:00"}`)
	}
	var is Guard
	for word, l := range j.Rules {
		rule, err := ParseGuardRule(word)
		if err != nil {
			return err
		}
		if is.Rules[rule], err = ParseGuardLimit(rule, l.Action, string(l.Limit), l.Until); err != nil {
			return err
		}
	}
	if j.Night != "" {
		var err error
		if is.Night, err = ParseGuardNight(j.Night); err != nil {
			return err
		}
	}
	*g = is
	return nil
}
