package storage

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"

	"billd/rating/e164"
)

// A network prefix's row is
//
//	layout             1 byte
//	min, max length    1 byte each
//	country, network   varints
//
// and not JSON because thousands of them are read when a store is opened. The prefix is in the row's key.
const networkPrefixLayout = 1

// appendNetworkPrefix appends p as a row to dst; its number is the row's key.
func appendNetworkPrefix(dst []byte, p *NetworkPrefix) []byte {
	dst = append(dst, networkPrefixLayout, p.MinLength, p.MaxLength)
	dst = binary.AppendUvarint(dst, p.Country)
	return binary.AppendUvarint(dst, p.Network)
}

// decodeNetworkPrefix makes p the network prefix that row b holds under key id. It keeps nothing of b.
// Fails with Internal if b is damaged or a newer billd wrote it; p is then not to be used.
func decodeNetworkPrefix(id uint64, b []byte, p *NetworkPrefix) error {
	if err := checkLayout(b, "network prefix", networkPrefixLayout); err != nil {
		return err
	}
	r := rowReader{b: b[1:]}
	*p = NetworkPrefix{ID: id, Prefix: strings.TrimPrefix(strconv.FormatUint(id, 10), "1"),
		MinLength: r.u8(), MaxLength: r.u8(), Country: r.uvarint(), Network: r.uvarint()}
	switch {
	case networkPrefixID(p.Prefix) != id:
		return damagedRow("network prefix", "its number stands for no prefix")
	case r.failed:
		return damagedRow("network prefix", "it is cut short")
	case len(r.b) > 0:
		return damagedRow("network prefix", "bytes follow its last column")
	}
	return nil
}

// networkPrefixID returns the number of a prefix's row, that of its digits behind a 1; 0 for what is no
// prefix.
func networkPrefixID(prefix string) uint64 {
	if !e164.IsPrefix(prefix) {
		return 0
	}
	id, err := strconv.ParseUint("1"+prefix, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// networkPrefixJSON is a row for the audit trail, nil for none.
func networkPrefixJSON(id uint64, b []byte) json.RawMessage {
	var p NetworkPrefix
	if b == nil || decodeNetworkPrefix(id, b, &p) != nil {
		return nil
	}
	j, err := json.Marshal(&p)
	if err != nil {
		return nil
	}
	return j
}
