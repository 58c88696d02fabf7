package radius

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/storage"
)

// TestDamagedPacketsAreHeldAndTheRestIsCharged sends each damage twice, a sound call before and behind it.
func TestDamagedPacketsAreHeldAndTheRestIsCharged(t *testing.T) {
	r := newRig(t)
	sound := 0
	good := func() {
		sound++
		r.ask(accounting, stopOf(fmt.Sprintf("C0FFEE %X", sound)))
	}
	good()
	damages := []struct{ name, was, is string }{ // of the same length, as attributes say theirs
		{"a clock that was not set", "2026", "1970"},
		{"a year to come", "2026", "2099"},
		{"a day that is none", "Nov 21", "Nov 99"},
		{"answered before it began", "14:32:10.123", "14:31:10.123"},
		{"ended before it was answered", "14:33:11.023", "14:32:06.023"},
		{"ended before it began", "14:33:11.023", "13:33:11.023"},
		{"noise in a time", "14:32:10.123", "14:\x00\xfe\xff10.123"},
		{"noise in the number", "442079460000", "44\x00\xfe\xff9460000"},
		{"another call's id", "14:33:11.023", "14:53:11.023"},
	}
	for i, d := range damages {
		id := fmt.Sprintf("DAD0 %X", i)
		if d.name == "another call's id" {
			id = "C0FFEE 1"
		}
		attrs := []byte(strings.ReplaceAll(string(stopOf(id)), d.was, d.is))
		if bytes.Equal(attrs, stopOf(id)) {
			t.Fatalf("%s changes nothing", d.name)
		}
		r.ask(accounting, attrs)
		r.ask(accounting, attrs) // the NAS did not hear the answer
		good()
	}
	conn := r.dial(accounting)
	whole := request(codeAccountingRequest, 200, secret, stopOf("CAFE 1"), true)
	for n := range 10 {
		conn.Write(whole[:len(whole)*n/10])
	}
	conn.Write(bytes.Repeat([]byte{0xff}, maxPacket))
	conn.Write(append(bytes.Clone(whole[:headLength]), bytes.Repeat([]byte{0}, 500)...))
	good()
	if exchange(t, conn, whole, 10*time.Second) == nil {
		t.Error("the whole packet is not answered")
	}
	sound++
	r.want(fmt.Sprintf("-%d.%02d", sound*12/100, sound*12%100), sound, len(damages))
	err := r.View(t.Context(), func(tx *storage.Tx) error {
		return tx.Suspense.Each(0, func(s *storage.Suspended) (bool, error) {
			if s.Reason == "" || s.Detail == "" {
				t.Errorf("held without a word: %+v", s)
			}
			t.Logf("%d: %s: %s", s.ID, s.Reason, s.Detail)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.sound()
}
