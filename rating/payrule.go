package rating

import (
	"net/netip"
	"strings"
)

// PayRule is one of the rules of a source by which it is told who pays for its calls. As text it is what the
// rule looks at and, where the record does not name the account itself, the account:
//
//	account               the account that the record names; one that does not exist pays for nothing
//	known account         the account that the record names, where it is one
//	code CODE = ACCOUNT   the record's account code
//	ip NETWORK = ACCOUNT  where the call comes from
//	caller PREFIX = ACCOUNT, called PREFIX = ACCOUNT   the numbers, as the rules for numbers made them
//	gateway NAME = ACCOUNT
//	auths                 the customers-auths
//	all = ACCOUNT
type PayRule struct {
	By      PayBy     `json:"by"`
	Match   string    `json:"match,omitempty"`
	Account AccountID `json:"account,omitempty"`
}

// PayBy is what a rule of who pays looks at.
type PayBy string

// What rules look at.
const (
	PayByAccount PayBy = "account"
	PayByKnown   PayBy = "known account"
	PayByCode    PayBy = "code"
	PayByIP      PayBy = "ip"
	PayByCaller  PayBy = "caller"
	PayByCalled  PayBy = "called"
	PayByGateway PayBy = "gateway"
	PayByAuths   PayBy = "auths"
	PayByAll     PayBy = "all"
)

// names reports whether a rule of the kind names the account that pays, and matches whether it compares.
func (by PayBy) names() bool   { return by != PayByAccount && by != PayByKnown && by != PayByAuths }
func (by PayBy) matches() bool { return by.names() && by != PayByAll }

// ParsePayRule reads a rule; account finds the account that it names. Fails with Invalid, or as account does.
func ParsePayRule(s string, account func(ref string) (AccountID, error)) (r PayRule, err error) {
	if len(s) > maxRuleText {
		return r, wrongPayRule(s, "too long")
	}
	what, ref, named := strings.Cut(s, "=")
	words := strings.Fields(what)
	r.By = PayBy(strings.Join(words, " "))
	if r.By != PayByKnown && len(words) > 1 {
		r.By, r.Match = PayBy(words[0]), strings.Join(words[1:], " ")
	}
	switch r.By {
	case PayByAccount, PayByKnown, PayByCode, PayByIP, PayByCaller, PayByCalled, PayByGateway, PayByAuths, PayByAll:
	default:
		return r, wrongPayRule(s, "want account, known account, code, ip, caller, called, gateway, auths or all")
	}
	switch {
	case r.By.matches() != (r.Match != ""):
		return r, wrongPayRule(s, map[bool]string{true: "want what it is compared with", false: "it is compared with nothing"}[r.By.matches()])
	case r.By.names() != named:
		return r, wrongPayRule(s, map[bool]string{true: "want = and the account that pays", false: "the record names the account"}[r.By.names()])
	}
	if r.By == PayByIP {
		if r.Match, err = network(r.Match); err != nil {
			return r, wrongPayRule(s, "want an IP address or a network")
		}
	}
	if named {
		r.Account, err = account(strings.TrimSpace(ref))
	}
	return r, err
}

func wrongPayRule(s, why string) error {
	return Broken("pay", "format", "", "pay rule %q: %s", clip(s), why)
}

// network spells an address or a network as a network.
func network(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()).String(), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked().String(), err
}

// String returns the rule without the account, as a charged call keeps it.
func (r PayRule) String() string { return strings.TrimSpace(string(r.By) + " " + r.Match) }

// Admits reports whether a rule that names the account holds for a call.
func (r PayRule) Admits(c *Call) bool {
	switch r.By {
	case PayByAll:
		return true
	case PayByCode:
		return c.AccountRef == r.Match
	case PayByGateway:
		return c.Gateway == r.Match
	case PayByCaller:
		return strings.HasPrefix(c.caller(), r.Match)
	case PayByCalled:
		return strings.HasPrefix(c.number(), r.Match)
	case PayByIP:
		from, _, _ := c.Origination()
		p, err := netip.ParsePrefix(r.Match)
		return err == nil && from.IsValid() && p.Contains(from.Unmap())
	}
	return false
}
