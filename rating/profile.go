package rating

import (
	"encoding/json"
	"strings"
)

// Profile is what charging knows of a source: how its numbers become those that are rated, which way its calls
// go, and who pays for them. It is applied when a call is charged, behind the question whether it was seen
// before: a record that comes again is a duplicate whatever its profile says by then, and one in suspense is
// tried by the profile as it is when it is tried. The caller must not change one that is in use.
type Profile struct {
	Name     string
	Revision uint64 // counts its changes
	Called   NumberRules
	Caller   NumberRules
	Inbound  bool // all calls are
	Pay      []PayRule
}

// NewProfile compiles a profile's rules. Fails with Invalid.
func NewProfile(name string, called, caller []string) (p *Profile, err error) {
	p = &Profile{Name: name}
	if p.Called, err = ParseNumberRules(called); err != nil {
		return nil, err
	}
	p.Caller, err = ParseNumberRules(caller)
	return p, err
}

// Apply brings a call into the form that is rated; nil leaves it as it is. The numbers that came in stay beside
// those that it makes.
func (p *Profile) Apply(c *Call) {
	if p == nil {
		return
	}
	p.Called.route(c, CDRDstPrefixIn, CDRDstPrefixRouting)
	p.Caller.route(c, CDRSrcPrefixIn, CDRSrcPrefixRouting)
	c.Inbound = c.Inbound || p.Inbound
}

func (rs NumberRules) route(c *Call, in, routing CDRField) {
	if len(rs) == 0 {
		return
	}
	number := c.Text(in)
	if number == "" {
		number = c.Text(routing)
	}
	c.SetText(routing, rs.Apply(number))
}

// Matching is what a charged call keeps of how it was matched, as JSON in a column of its own.
type Matching struct {
	Direction string `json:"direction,omitempty"` // inbound; nothing is outbound
	Profile   string `json:"profile,omitempty"`
	Revision  uint64 `json:"revision,omitempty"` // of the profile as it was
	Rule      string `json:"rule,omitempty"`     // that told who pays
	Gateway   string `json:"gateway,omitempty"`
}

// inboundMark is how the matching of a call begins that came in.
const inboundMark = `{"direction":"inbound"`

// Matching returns what the call keeps of how it was matched; false for nothing.
func (c *CDR) Matching() (m Matching, ok bool) {
	text := c.Text(CDRMatching)
	return m, text != "" && json.Unmarshal([]byte(text), &m) == nil
}

// forgetMatching drops what a record itself says of its matching; another system's history keeps its own.
func (c *Call) forgetMatching() {
	if !c.Rated {
		c.Unset(CDRMatching)
	}
}

// keepMatching notes how the call was matched, where a profile or a direction says anything.
func (c *Call) keepMatching(rule string) {
	if c.Profile == nil && !c.Inbound {
		return
	}
	m := Matching{Gateway: c.Gateway}
	if c.Profile != nil {
		m.Profile, m.Revision, m.Rule = c.Profile.Name, c.Profile.Revision, rule
	}
	if c.Inbound {
		m.Direction = Inbound.String()
	}
	if text, err := json.Marshal(m); err == nil && len(text) <= maxTextColumn { // text and numbers always can be
		c.SetText(CDRMatching, string(text))
	}
}

// direction says which way the call goes: one that is rated again goes as it went.
func (c *Call) direction() Direction {
	if c.Inbound || strings.HasPrefix(c.Text(CDRMatching), inboundMark) {
		return Inbound
	}
	return Outbound
}
