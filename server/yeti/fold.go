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
	for i := 0; i <= len(b)-len(part); i++ {
		if lowered(b[i]) == part[0] && sameFold(b[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// sameFold compares ASCII text with as many bytes in lower case.
func sameFold(b, lower []byte) bool {
	for i, c := range b {
		if lowered(c) != lower[i] {
			return false
		}
	}
	return true
}

func lowered(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// caseless reports whether no letter in s has another case: such parts are looked for as they are.
func caseless(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
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
