package storage

import (
	"strings"
	"testing"
)

func TestNetworkPrefixLayoutIsPinned(t *testing.T) {
	p := &NetworkPrefix{ID: 1447781, Prefix: "447781", Country: 77, Network: 300, MinLength: 7, MaxLength: 100}
	b := appendNetworkPrefix(nil, p)
	wantRow(t, b, `
		01 07 64
		4d ac02`)
	var got NetworkPrefix
	if err := decodeNetworkPrefix(1447781, b, &got); err != nil || got != *p {
		t.Errorf("decoded %+v, %v, want %+v", got, err, *p)
	}
	testRefusals(t, b, func(b []byte) error { return decodeNetworkPrefix(1447781, b, &got) })
}

func TestNetworkPrefixesAreNumberedByTheirDigits(t *testing.T) {
	row := appendNetworkPrefix(nil, &NetworkPrefix{Network: 1})
	for prefix, want := range map[string]uint64{"1": 11, "0": 10, "007": 1007, "44": 144, strings.Repeat("9", 15): 1_999_999_999_999_999, "": 0, "4a": 0, strings.Repeat("9", 16): 0} {
		if got := networkPrefixID(prefix); got != want {
			t.Errorf("networkPrefixID(%q) = %d, want %d", prefix, got, want)
		}
		var p NetworkPrefix
		if err := decodeNetworkPrefix(want, row, &p); (err == nil) != (want != 0) || err == nil && p.Prefix != prefix {
			t.Errorf("row %d is of prefix %q, %v, want %q", want, p.Prefix, err, prefix)
		}
	}
	for _, id := range []uint64{1, 2, 244, 1 << 63} {
		if err := decodeNetworkPrefix(id, row, &NetworkPrefix{}); err == nil {
			t.Errorf("row %d decodes, want it refused", id)
		}
	}
}

func FuzzDecodeNetworkPrefix(f *testing.F) {
	f.Add(uint64(11), appendNetworkPrefix(nil, &NetworkPrefix{Network: 1, MaxLength: 100}))
	f.Add(uint64(1_999), appendNetworkPrefix(nil, &NetworkPrefix{Network: 1 << 63, Country: 200, MinLength: 255}))
	f.Fuzz(func(t *testing.T, id uint64, b []byte) {
		var p, again NetworkPrefix
		if decodeNetworkPrefix(id, b, &p) != nil {
			return
		}
		if err := decodeNetworkPrefix(id, appendNetworkPrefix(nil, &p), &again); err != nil || again != p {
			t.Errorf("written anew: %+v, %v, want %+v", again, err, p)
		}
	})
}
