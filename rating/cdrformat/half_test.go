package cdrformat

import (
	"fmt"
	"strings"
	"testing"

	"billd/rating"
)

// TestHalvesAreHandedOut reads an INVITE and a BYE of different calls, and a whole call between them.
func TestHalvesAreHandedOut(t *testing.T) {
	in := "method\tfrom_tag\tto_tag\tcallid\tsip_code\ttime\tsrc_user\tdst_ouser\n" +
		"BYE\ta\tb\tlone\t200\t2026-01-05 10:00:15\t1001\t44\n" +
		"INVITE\ta\tb\topen\t200\t2026-01-05 10:00:05\t1001\t44\n" +
		"INVITE\ta\tb\twhole\t200\t2026-01-05 10:00:05\t1001\t44\n" +
		"BYE\tb\ta\twhole\t200\t2026-01-05 10:00:15\t1001\t44\n"
	r, err := NewReader(strings.NewReader(in), Options{Format: Kamailio, Apart: true, Source: "proxy"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		var call rating.Call
		var rec Record
		if err := r.Read(&call, &rec); err != nil {
			break
		}
		text := fmt.Sprint(rec.Line, " ", call.Text(rating.CDRSource), " ", call.CallID(), " ", call.Has(rating.CDRDuration), " ", call.Has(rating.CDRTimeEnd))
		if rec.Half != nil {
			text += fmt.Sprint(" ", rec.Half.Key, " ", rec.Half.End, " ", strings.Contains(rec.Half.Kept, rec.Half.Key[:4]))
		}
		got = append(got, text+rec.Bad+rec.Skipped)
	}
	want := []string{"2 proxy  false false lone/a/b 1767607215000000 true", "5 proxy whole/a/b true true", "3 proxy open/a/b false false open/a/b 0 true"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
