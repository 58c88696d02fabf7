package e164

// Index finds the longest of many prefixes that a number begins with. It never changes; a nil one is
// empty.
type Index struct {
	nodes []node
	jump  []hop // by the first jumpDigits digits
	count int
}

// node is one place of the ten-way tree, 0 being the root. No node leads back to the root, so 0 is no
// child.
type node struct {
	child [10]uint32
	value uint32 // plus 1; 0 for no prefix
	least uint8  // digits of a whole number
	most  uint8
}

// hop is where the first digits of a number lead to.
type hop struct {
	at   uint32 // node of all of them, 0 for none
	best uint32 // node of the longest prefix among them, 0 for none
}

// jumpDigits is how many digits are taken at once: most prefixes of the world are not longer.
const jumpDigits = 4

// Lengths bounds how many digits whole numbers have.
type Lengths struct{ Least, Most uint8 }

// Entry is a prefix and what it stands for.
type Entry struct {
	Digits  string
	Value   uint32
	Lengths Lengths
}

// MaxDigits is the length of the longest prefix, that of an E.164 number.
const MaxDigits = 15

// IsPrefix reports whether s is 1 to MaxDigits digits.
func IsPrefix(s string) bool { return s != "" && len(s) <= MaxDigits && leading(s) == len(s) }

// leading returns how many digits s begins with.
func leading(s string) int {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return i
		}
	}
	return len(s)
}

// NewIndex makes an index of prefixes. One that IsPrefix refuses is passed over; of equal ones the
// last counts.
func NewIndex(entries []Entry) *Index {
	x := &Index{nodes: make([]node, 1, 2*len(entries)+1)}
	for _, e := range entries {
		if IsPrefix(e.Digits) {
			x.add(e)
		}
	}
	x.jump = make([]hop, 1)
	for range jumpDigits {
		x.jump = x.further(x.jump)
	}
	return x
}

func (x *Index) add(e Entry) {
	at := uint32(0)
	for i := range len(e.Digits) {
		d := e.Digits[i] - '0'
		if x.nodes[at].child[d] == 0 {
			x.nodes[at].child[d] = uint32(len(x.nodes))
			x.nodes = append(x.nodes, node{})
		}
		at = x.nodes[at].child[d]
	}
	n := &x.nodes[at]
	if n.value == 0 {
		x.count++
	}
	n.value, n.least, n.most = e.Value+1, e.Lengths.Least, e.Lengths.Most
}

// further returns where one digit more leads to.
func (x *Index) further(hops []hop) []hop {
	next := make([]hop, 0, 10*len(hops))
	for i, h := range hops {
		for d := range 10 {
			to := hop{best: h.best}
			if h.at != 0 || i == 0 && len(hops) == 1 { // the root leads on though it is node 0
				to.at = x.nodes[h.at].child[d]
			}
			if x.nodes[to.at].value != 0 {
				to.best = to.at
			}
			next = append(next, to)
		}
	}
	return next
}

// Len returns how many prefixes there are.
func (x *Index) Len() int {
	if x == nil {
		return 0
	}
	return x.count
}

// Prefix returns what the longest prefix stands for that another one begins with.
func (x *Index) Prefix(digits string) (value uint32, ok bool) {
	if x == nil {
		return 0, false
	}
	n := x.longest(digits)
	return n.value - 1, n.value != 0
}

// Number is Prefix for a whole number: only prefixes count whose lengths admit it. A character that is
// no digit ends the number.
func (x *Index) Number(number string) (value uint32, ok bool) {
	if x == nil {
		return 0, false
	}
	n := x.longest(number)
	if n.value == 0 {
		return 0, false
	}
	if length := leading(number); length < int(n.least) || length > int(n.most) {
		return x.shorter(number[:length])
	}
	return n.value - 1, true
}

// longest returns the node of the longest prefix, the root for none.
func (x *Index) longest(number string) *node {
	at, best, i := uint32(0), uint32(0), 0
	if len(number) >= jumpDigits {
		place := uint32(0)
		for ; i < jumpDigits; i++ {
			d := uint32(number[i] - '0')
			if d > 9 {
				break
			}
			place = place*10 + d
		}
		if i == jumpDigits {
			h := x.jump[place]
			if at, best = h.at, h.best; at == 0 {
				return &x.nodes[best]
			}
		} else {
			i = 0
		}
	}
	for ; i < len(number); i++ {
		d := number[i] - '0'
		if d > 9 {
			break
		}
		if at = x.nodes[at].child[d]; at == 0 {
			break
		}
		if x.nodes[at].value != 0 {
			best = at
		}
	}
	return &x.nodes[best]
}

// shorter is Number where the longest prefix does not admit the number's length.
func (x *Index) shorter(digits string) (value uint32, ok bool) {
	at := uint32(0)
	for i := range len(digits) {
		if at = x.nodes[at].child[digits[i]-'0']; at == 0 {
			break
		}
		if n := &x.nodes[at]; n.value != 0 && len(digits) >= int(n.least) && len(digits) <= int(n.most) {
			value, ok = n.value-1, true
		}
	}
	return value, ok
}
