package rating

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func nets(texts ...string) (ps []netip.Prefix) {
	for _, s := range texts {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func authIndex(rules ...*AuthRule) *AuthIndex {
	changed := map[uint64]*AuthRule{}
	for _, r := range rules {
		changed[r.ID] = r
	}
	return (*AuthIndex)(nil).With(changed)
}

func TestTheRuleThatACallComesInBy(t *testing.T) {
	x := authIndex(
		&AuthRule{ID: 1, Networks: nets("0.0.0.0/0")},
		&AuthRule{ID: 2, Networks: nets("10.0.0.0/8"), Dst: []string{"48", "49"}},
		&AuthRule{ID: 3, Networks: nets("10.1.0.0/16", "192.0.2.1/32"), Dst: []string{"48"}, Src: []string{"44"}},
		&AuthRule{ID: 4, Networks: nets("10.1.2.0/24")},
		&AuthRule{ID: 5, Networks: nets("10.1.2.0/24")},
		&AuthRule{ID: 6, Networks: nets("2001:db8::/32"), Dst: []string{""}},
		&AuthRule{ID: 7, Networks: nets("10.0.0.0/8"), Dst: []string{"4822"}, Src: []string{"7"}},
	)
	for _, tt := range []struct {
		name, source, dst, src string
		want                   uint64
	}{
		{"a network that holds every address", "203.0.113.9", "48221", "44", 1},
		{"the narrowest network", "10.1.2.3", "33", "", 4},
		{"a longer dst prefix wins over a narrower network", "10.1.2.3", "49301", "", 2},
		{"a longer src prefix wins over a narrower network", "10.1.9.9", "48301", "4420", 3},
		{"another src is another rule", "10.1.9.9", "48301", "4620", 2},
		{"the longest dst prefix has no rule for the src", "10.9.9.9", "48221", "44", 2},
		{"the longest dst prefix has one", "10.9.9.9", "48221", "71", 7},
		{"a second network of a rule", "192.0.2.1", "48", "44", 3},
		{"a second prefix of a rule", "10.200.0.1", "49", "", 2},
		{"IPv6", "2001:db8::1", "1", "1", 6},
		{"IPv6 elsewhere", "2001:db9::1", "1", "1", 0},
		{"IPv4 in IPv6's clothes", "::ffff:10.1.2.3", "33", "", 4},
		{"no source", "", "48", "44", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source, _ := netip.ParseAddr(tt.source)
			got := uint64(0)
			if r, ok := x.Match(source, tt.dst, tt.src); ok {
				got = r.ID
			}
			if got != tt.want {
				t.Errorf("Match(%s, %s, %s) = rule %d, want %d", tt.source, tt.dst, tt.src, got, tt.want)
			}
		})
	}
	if _, ok := (*AuthIndex)(nil).Match(netip.MustParseAddr("10.0.0.1"), "1", "1"); ok {
		t.Error("the nil index matches, want nothing")
	}
	gone := x.With(map[uint64]*AuthRule{4: nil, 5: {ID: 5, Networks: nets("198.51.100.0/24")}})
	if r, _ := gone.Match(netip.MustParseAddr("10.1.2.3"), "33", ""); r == nil || r.ID != 1 {
		t.Errorf("after 4 is gone and 5 moved = %+v, want rule 1", r)
	}
	if r, _ := x.Match(netip.MustParseAddr("10.1.2.3"), "33", ""); r == nil || r.ID != 4 || x.Rule(4) == nil || gone.Rule(4) != nil || gone.Len() != 6 {
		t.Errorf("the index before = %+v, want it as it was", r)
	}
}

// walk is AuthIndex.Match by the rule's own words.
func walk(rules map[uint64]*AuthRule, source netip.Addr, dst, src string) (best uint64) {
	rank := []int{-1, -1, -1, 0}
	for _, r := range rules {
		for _, n := range r.Networks {
			for _, d := range orAny(r.Dst) {
				for _, s := range orAny(r.Src) {
					if !n.Contains(source) || !strings.HasPrefix(dst, d) || !strings.HasPrefix(src, s) {
						continue
					}
					if of := []int{len(d), len(s), n.Bits(), -int(r.ID)}; slices.Compare(of, rank) > 0 {
						best, rank = r.ID, of
					}
				}
			}
		}
	}
	return best
}

func TestTheAuthIndexAgreesWithAWalk(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	number := func(most int) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteByte(byte('1' + r.IntN(2)))
		}
		return b.String()
	}
	address := func() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(2)), byte(r.IntN(8))}) }
	texts := func() (all []string) {
		for range r.IntN(3) {
			all = append(all, number(3))
		}
		return all
	}
	rules := map[uint64]*AuthRule{}
	var x *AuthIndex
	for range 60 {
		changed := map[uint64]*AuthRule{}
		for range 1 + r.IntN(4) {
			id := uint64(1 + r.IntN(20))
			changed[id] = nil
			if r.IntN(4) > 0 {
				rule := &AuthRule{ID: id, Dst: texts(), Src: texts()}
				for range r.IntN(3) {
					rule.Networks = append(rule.Networks, netip.PrefixFrom(address(), []int{0, 8, 24, 30, 32}[r.IntN(5)]))
				}
				changed[id] = rule
			}
		}
		x = x.With(changed)
		for id, rule := range changed {
			if delete(rules, id); rule != nil {
				rules[id] = rule
			}
		}
		for range 50 {
			source, dst, src := address(), number(5), number(5)
			got := uint64(0)
			if rule, ok := x.Match(source, dst, src); ok {
				got = rule.ID
			}
			if want := walk(rules, source, dst, src); got != want {
				t.Fatalf("seed %d: Match(%s, %s, %s) = rule %d, want %d", seed, source, dst, src, got, want)
			}
		}
	}
}

func BenchmarkAuthIndex(b *testing.B) {
	changed := map[uint64]*AuthRule{}
	for id := range uint64(10_000) {
		a := netip.AddrFrom4([4]byte{10, byte(id >> 8), byte(id), 1})
		changed[id+1] = &AuthRule{ID: id + 1, Networks: []netip.Prefix{netip.PrefixFrom(a, 32)}, Dst: []string{fmt.Sprint(id % 100)}}
	}
	x := (*AuthIndex)(nil).With(changed)
	source := netip.MustParseAddr("10.3.77.1")
	b.ReportAllocs()
	for b.Loop() {
		x.Match(source, "45221234567", "33123456789")
	}
}
