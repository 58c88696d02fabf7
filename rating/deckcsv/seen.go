package deckcsv

import "strconv"

// seen remembers which prefix stood on which line, in 16 bytes each: a million rates take 32 MiB.
//
// Prefixes of up to 18 digits are numbers in an open-addressed table; the few others are text.
type seen struct {
	slots []slot
	used  int
	froms map[int64]uint32 // the distinct valid-from instants, numbered from 1
	text  map[string]int
}

type slot struct {
	key  uint64 // the digits behind a 1, which keeps leading zeros; 0 is a free slot
	from uint32
	line uint32
}

// add returns the line on which the prefix stood before with the same valid-from, or 0 and notes it.
func (s *seen) add(prefix string, from int64, line int) int {
	f := s.fromNumber(from)
	key, ok := packDigits(prefix)
	if !ok {
		return s.addText(prefix+"\x00"+strconv.Itoa(int(f)), line)
	}
	if 4*s.used >= 3*len(s.slots) {
		s.grow()
	}
	at := s.find(key, f)
	if s.slots[at].key != 0 {
		return int(s.slots[at].line)
	}
	s.slots[at] = slot{key, f, uint32(line)}
	s.used++
	return 0
}

func (s *seen) addText(key string, line int) int {
	if before := s.text[key]; before > 0 {
		return before
	}
	if s.text == nil {
		s.text = map[string]int{}
	}
	s.text[key] = line
	return 0
}

func (s *seen) fromNumber(from int64) uint32 {
	n, ok := s.froms[from]
	if !ok {
		if s.froms == nil {
			s.froms = map[int64]uint32{}
		}
		n = uint32(len(s.froms) + 1)
		s.froms[from] = n
	}
	return n
}

// find returns the slot of the key, or the free one where it belongs.
func (s *seen) find(key uint64, from uint32) int {
	mask := uint64(len(s.slots) - 1)
	// multiplicative hashing by 2⁶⁴ over the golden ratio; its high bits are the good ones
	h := (key ^ uint64(from)<<40) * 0x9e3779b97f4a7c15 >> 20
	for {
		at := h & mask
		if e := &s.slots[at]; e.key == 0 || (e.key == key && e.from == from) {
			return int(at)
		}
		h++
	}
}

func (s *seen) grow() {
	old := s.slots
	s.slots = make([]slot, max(1024, 2*len(old)))
	for _, e := range old {
		if e.key != 0 {
			s.slots[s.find(e.key, e.from)] = e
		}
	}
}

func packDigits(p string) (uint64, bool) {
	if len(p) == 0 || len(p) > 18 {
		return 0, false
	}
	key := uint64(1)
	for i := range len(p) {
		d := p[i] - '0'
		if d > 9 {
			return 0, false
		}
		key = key*10 + uint64(d)
	}
	return key, true
}
