package yeti

import "bytes"

// Tests of a text against a part in lower case, whatever the case of the text. They are asked of a
// million columns and allocate only for texts beyond ASCII.

// startsFold reports whether b begins with part.
func startsFold(b, part []byte) bool {
	if !ascii(b) {
		return bytes.HasPrefix(bytes.ToLower(b), part)
	}
	return len(b) >= len(part) && sameFold(b[:len(part)], part)
}

// endsFold reports whether b ends in part.
func endsFold(b, part []byte) bool {
	if !ascii(b) {
		return bytes.HasSuffix(bytes.ToLower(b), part)
	}
	return len(b) >= len(part) && sameFold(b[len(b)-len(part):], part)
}

// containsFold reports whether part lies within b.
func containsFold(b, part []byte) bool {
	if !ascii(b) {
		return bytes.Contains(bytes.ToLower(b), part)
	}
	if len(part) == 0 {
		return true
	}
	for last := len(b) - len(part); last >= 0; last = len(b) - len(part) {
		at := indexFold(b[:last+1], part[0])
		if at < 0 {
			return false
		}
		if b = b[at:]; sameFold(b[:len(part)], part) {
			return true
		}
		b = b[1:]
	}
	return false
}

// indexFold returns where a lower-case byte is first found in b in either case, -1 if nowhere.
func indexFold(b []byte, lower byte) int {
	if lower < 'a' || lower > 'z' {
		return bytes.IndexByte(b, lower)
	}
	for i, c := range b {
		if c|0x20 == lower {
			return i
		}
	}
	return -1
}

// sameFold compares ASCII text with as many bytes in lower case.
func sameFold(b, lower []byte) bool {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
