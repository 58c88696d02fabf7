package storage

import "net/netip"

// ParseNetwork reads an address, or a network in CIDR form whose host bits do not count.
func ParseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}

// Admits reports whether an address lies in one of the networks; no networks admit all.
func Admits(networks []string, address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return len(networks) == 0
	}
	a = a.Unmap().WithZone("")
	for _, s := range networks {
		if n, ok := ParseNetwork(s); ok && n.Contains(a) {
			return true
		}
	}
	return len(networks) == 0
}
