package portsip

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"billd/rating"
)

// idBase lifts a record's number to the 18 digits of a vendor id (R6). Calls need no lift: their
// numbers are that long already.
const idBase = 100_000_000_000_000_000

// maxIDDigits is how long a vendor id is at most. Source: contract, section 5.
const maxIDDigits = 19

// encodeID spells a number as an id: base64 of its decimal digits.
func encodeID(n uint64) string {
	return base64.StdEncoding.EncodeToString(strconv.AppendUint(nil, n, 10))
}

// decodeID reads an id of a path, where = may come as %3D. A well-formed id that no record can have
// gives 0. Fails with Invalid, field id.
func decodeID(s string) (uint64, error) {
	malformed := rating.Broken("id", "format", "", "id: want base64 of 1 to %d digits", maxIDDigits)
	if strings.IndexByte(s, '%') >= 0 {
		var err error
		if s, err = url.PathUnescape(s); err != nil {
			return 0, malformed
		}
	}
	if len(s) > base64.StdEncoding.EncodedLen(maxIDDigits) {
		return 0, malformed
	}
	digits, err := base64.StdEncoding.Strict().DecodeString(s)
	// written back: the decoder skips line ends, which no id has
	if err != nil || len(digits) == 0 || len(digits) > maxIDDigits || base64.StdEncoding.EncodeToString(digits) != s {
		return 0, malformed
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, malformed
		}
	}
	if digits[0] == '0' {
		return 0, nil // no number is written so, and 0100 is not 100
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, malformed
	}
	return n, nil
}

// decodeNumber reads the id of a record that is lifted by idBase; 0 when it cannot be one.
func decodeNumber(s string) (uint64, error) {
	n, err := decodeID(s)
	if err != nil || n <= idBase {
		return 0, err
	}
	return n - idBase, nil
}
