package rating

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// AuthRule is what a customers-auth asks of a call, and who pays when it asks no more. The caller
// must not change one that an index holds.
type AuthRule struct {
	ID       uint64
	Account  AccountID
	Plan     uint64         // the rate plan of the calls that come in by it
	Networks []netip.Prefix // the source lies in one of them; none: no call does
	Dst, Src []string       // the numbers begin with one of these; none: any number
}

// AuthIndex finds the customers-auth that a call came in by.
//
// It never changes, so any number of readers may share it; With makes a changed one. The nil index
// matches nothing.
type AuthIndex struct {
	rules map[uint64]*AuthRule
	nets  map[netip.Prefix]*authNet
	bits  [2]maskLengths // of nets: IPv4, IPv6
}

// maskLengths counts networks by the length of their masks.
type maskLengths [129]int

// authNet is what the rules of one network ask of the numbers.
type authNet struct {
	rules []*AuthRule // by number
	dst   texts[*texts[*AuthRule]]
}

// Match returns the rule that a call from source with these numbers comes in by: of those that admit
// it, the one with the longest dst prefix, then the longest src prefix, then the narrowest network,
// then the lowest number (R17).
//
// It probes the networks that hold source, one per length of mask in use, and in each the lengths of
// the prefixes there, however many rules there are. It allocates nothing.
func (x *AuthIndex) Match(source netip.Addr, dst, src string) (*AuthRule, bool) {
	if x == nil || !source.IsValid() {
		return nil, false
	}
	source = source.Unmap().WithZone("")
	var best *AuthRule
	bestDst, bestSrc := -1, -1
	for n, left := source.BitLen(), x.bits[family(source)]; n >= 0; n-- {
		if left[n] == 0 {
			continue
		}
		network, err := source.Prefix(n)
		if err != nil {
			continue
		}
		net := x.nets[network]
		if net == nil {
			continue
		}
		rule, d, s := net.match(dst, src)
		// Narrower networks come first, so only a longer prefix takes it from them.
		if rule != nil && (d > bestDst || d == bestDst && s > bestSrc) {
			best, bestDst, bestSrc = rule, d, s
		}
	}
	return best, best != nil
}

// match returns the rule of a network with the longest prefixes, and their lengths.
func (n *authNet) match(dst, src string) (rule *AuthRule, dstLen, srcLen int) {
	for limit := len(dst); limit >= 0; limit = dstLen - 1 {
		sources, d, ok := n.dst.longest(dst[:limit], 0)
		if !ok {
			break
		}
		dstLen = d
		if rule, srcLen, ok = sources.longest(src, 0); ok {
			return rule, dstLen, srcLen
		}
	}
	return nil, -1, -1
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// With returns an index in which the rules of changed have taken the place of those of their numbers;
// nil is no rule. x stays as it was.
//
// It costs a copy of the table of networks and building anew those that a changed rule names.
func (x *AuthIndex) With(changed map[uint64]*AuthRule) *AuthIndex {
	now := &AuthIndex{}
	if x != nil {
		now.rules, now.nets, now.bits = maps.Clone(x.rules), maps.Clone(x.nets), x.bits
	}
	if now.rules == nil {
		now.rules, now.nets = map[uint64]*AuthRule{}, map[netip.Prefix]*authNet{}
	}
	moved := map[netip.Prefix][]*AuthRule{} // what is left of the rules of each network that is touched
	touch := func(r *AuthRule) {
		for _, p := range r.Networks {
			if p = p.Masked(); moved[p] == nil {
				moved[p] = []*AuthRule{}
				if net := now.nets[p]; net != nil {
					moved[p] = append(moved[p], net.rules...)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		if old := now.rules[id]; old != nil {
			touch(old)
			for p, rules := range moved {
				moved[p] = slices.DeleteFunc(rules, func(r *AuthRule) bool { return r.ID == id })
			}
			delete(now.rules, id)
		}
		if rule := changed[id]; rule != nil {
			touch(rule)
			for _, p := range rule.Networks {
				if p = p.Masked(); !slices.Contains(moved[p], rule) {
					moved[p] = append(moved[p], rule)
				}
			}
			now.rules[id] = rule
		}
	}
	for p, rules := range moved {
		now.replace(p, rules)
	}
	return now
}

// replace gives a network its rules in an index that nobody reads yet.
func (x *AuthIndex) replace(p netip.Prefix, rules []*AuthRule) {
	count := &x.bits[family(p.Addr())][p.Bits()]
	if x.nets[p] != nil {
		*count--
		delete(x.nets, p)
	}
	if len(rules) == 0 {
		return
	}
	slices.SortFunc(rules, func(a, b *AuthRule) int { return cmp.Compare(a.ID, b.ID) })
	net := &authNet{rules: rules}
	for _, rule := range rules {
		for _, dst := range orAny(rule.Dst) {
			sources := net.dst.by[dst]
			if sources == nil {
				sources = &texts[*AuthRule]{}
				net.dst.put(dst, sources)
			}
			for _, src := range orAny(rule.Src) {
				if sources.by[src] == nil { // rules come by number: the lowest stays
					sources.put(src, rule)
				}
			}
		}
	}
	x.nets[p] = net
	*count++
}

// orAny returns prefixes, or the one that every number begins with where there are none.
func orAny(prefixes []string) []string {
	if len(prefixes) == 0 {
		return []string{""}
	}
	return prefixes
}

// Rule returns the rule of a number, nil if there is none.
func (x *AuthIndex) Rule(id uint64) *AuthRule {
	if x == nil {
		return nil
	}
	return x.rules[id]
}

// Len returns how many rules x holds.
func (x *AuthIndex) Len() int {
	if x == nil {
		return 0
	}
	return len(x.rules)
}
