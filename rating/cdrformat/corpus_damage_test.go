package cdrformat

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"billd/rating"
)

// own reports whether the format is billd's own: what its columns say is judged where it is charged.
func (s *sample) own() bool {
	return s.o.Format.Source() == sourceImport && s.o.Map == nil
}

// TestCallsThatCannotHaveBeenAreRefused has a call say what no clock can have shown, between two sound ones.
func TestCallsThatCannotHaveBeenAreRefused(t *testing.T) {
	at := func(c told, start time.Time) told {
		c.answer, c.end, c.start = start.Add(c.answer.Sub(c.start)), start.Add(c.end.Sub(c.start)), start
		return c
	}
	for _, tt := range []struct {
		name   string
		change func(told) told
		want   string
	}{
		{"a clock that was not set", func(c told) told { return at(c, time.Unix(7, 0).UTC()) }, "want a year from 2000 to 2099"},
		{"a year that is none", func(c told) told { return at(c, time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)) }, "want a year from 2000 to 2099"},
		{"negative talk", func(c told) told { c.billsec = "-10"; return c }, "want 0 seconds or more"},
		{"a negative length", func(c told) told { c.duration = "-15"; return c }, "want 0 seconds or more"},
		{"more talk than call", func(c told) told { c.billsec = "100"; return c }, "sec 100"},
		{"talk in words", func(c told) told { c.billsec = "ten"; return c }, ""},
		{"answered before it started", func(c told) told { c.answer = c.start.Add(-time.Hour); return c }, ""},
		{"ended before it was answered", func(c told) told { c.end = c.answer.Add(-time.Second); return c }, "before"},
		{"ended before it started", func(c told) told { c.end = c.start.Add(-time.Hour); return c }, "before"},
	} {
		for _, s := range corpus() {
			record := s.row(tt.change(soundCall(2)))
			if s.own() || record == s.row(soundCall(2)) || strings.HasPrefix(tt.name, "answered") && (s.o.Format == Kamailio || s.o.Format == FreeSWITCHCSVOpenCDRRate) { // which have no start of their own
				continue
			}
			t.Run(tt.name+"/"+s.name, func(t *testing.T) {
				why, same := s.damaged(t, record)
				if !same && (len(why) == 0 || !strings.Contains(strings.Join(why, "|"), tt.want)) || len(why) > 2 {
					t.Errorf("refused with %q, want %q", why, tt.want)
				}
				if same && !strings.Contains(tt.name, "length") {
					t.Errorf("read as if nothing were wrong: %s", record)
				}
			})
		}
	}
}

// TestACallOf2099IsReadForWhoCharges reads a call of a year that is still to come: it waits in suspense then.
func TestACallOf2099IsReadForWhoCharges(t *testing.T) {
	for _, s := range corpus() {
		t.Run(s.name, func(t *testing.T) {
			c := soundCall(2)
			c.start, c.answer, c.end = c.start.AddDate(73, 0, 0), c.answer.AddDate(73, 0, 0), c.end.AddDate(73, 0, 0)
			got, err := readCalls(t, strings.NewReader(s.file(s.row(c))), s.o)
			if err != nil || len(got) != 1 || !strings.Contains(got[0], " 2099-01-05T10:02:0") {
				t.Errorf("read as %q, %v, want a call of 2099", got, err)
			}
		})
	}
}

// utf16le writes a text as Windows does.
func utf16le(text string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// TestBytesThatAreNoRecordSpoilNoOther puts them between sound records, and into one.
func TestBytesThatAreNoRecordSpoilNoOther(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	noise := func(n int, without string) string {
		b := make([]byte, n)
		for i := range b {
			for b[i] = byte(r.Uint32()); strings.IndexByte(without, b[i]) >= 0; {
				b[i] = byte(r.Uint32())
			}
		}
		return "\x00" + string(b)
	}
	for _, s := range corpus() {
		record := s.row(soundCall(2))
		mid := len(record) / 2
		line, behind := strings.TrimSuffix(record, "\n"), s.between+"\n"
		if s.between != "" {
			behind = ""
		}
		for _, tt := range []struct {
			name, record string
			quiet        bool // it may be passed over or be read as what it was
		}{
			{"noise on a line of its own", noise(300, "\n\r") + behind, false},
			{"noise inside a record", record[:mid] + noise(40, "\n\r") + record[mid:], false},
			{"noise in place of the middle of a record", record[:mid-20] + noise(40, "\n\r") + record[mid+20:], false},
			{"zero bytes inside a record", record[:mid] + strings.Repeat("\x00", 512) + record[mid:], false},
			{"a record as UTF-16", utf16le(line) + behind, false},
			{"a name in Latin-1", strings.ReplaceAll(strings.ReplaceAll(record, "ë", "\xeb"), "Å", "\xc5"), true},
			{"a line of 3 MB", strings.Repeat("x", 3<<20) + behind, false},
			{"a record of 3 MB", line[:mid] + strings.Repeat("y", 3<<20) + line[mid:] + behind, false},
			{"10,000 columns", strings.Repeat("a,", 10_000) + behind, false},
			{"a record and 10,000 columns", line + strings.Repeat(",a", 10_000) + behind, true},
			{"10,000 quotes", strings.Repeat(`"`, 10_000) + behind, false},
			{"10,000 brackets", strings.Repeat(`{"a":[`, 10_000) + behind, false},
			{"10,000 elements", strings.Repeat(`<cdr><a>`, 10_000) + behind, false},
		} {
			t.Run(tt.name+"/"+s.name, func(t *testing.T) {
				if why, same := s.damaged(t, tt.record); len(why) == 0 && !tt.quiet {
					t.Errorf("not a word, same %v", same)
				}
			})
		}
	}
}

// TestFilesOfTheWrongEncodingAreRefusedAsAWhole reads whole files as what other programs save.
func TestFilesOfTheWrongEncodingAreRefusedAsAWhole(t *testing.T) {
	for _, s := range corpus() {
		text := s.file(s.row(soundCall(1)), s.row(soundCall(2)))
		wide := utf16le(text)
		swapped := []byte(wide)
		for i := 0; i < len(swapped); i += 2 {
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		}
		for _, tt := range []struct{ name, in, want string }{
			{"UTF-16", "\xff\xfe" + wide, "the file is UTF-16: want UTF-8"},
			{"UTF-16 of the other kind", "\xfe\xff" + string(swapped), "the file is UTF-16: want UTF-8"},
			{"UTF-16 without a mark", wide, "the file is UTF-16: want UTF-8"},
			{"UTF-16 of the other kind without a mark", string(swapped), "the file is UTF-16: want UTF-8"},
			{"nothing", "", "the file is empty"},
			{"a mark and nothing", "\ufeff", "the file is empty"},
			{"blanks", " \r\n\n\t", "the file is empty"},
			{"zero bytes", strings.Repeat("\x00", 5000), "the file is binary: want text"},
			{"gzip", "\x1f\x8b\x08" + text, "the file is compressed with gzip"},
			{"zip", "PK\x03\x04" + text, "the file is a zip archive"},
		} {
			t.Run(tt.name+"/"+s.name, func(t *testing.T) {
				got, err := readCalls(t, strings.NewReader(tt.in), s.o)
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("read as %q, %v, want %s", got, err, tt.want)
				}
			})
		}
	}
}

// TestLineEndsOfEveryKindAreRead reads the same file with each, and with a mark in front.
func TestLineEndsOfEveryKindAreRead(t *testing.T) {
	for _, s := range corpus() {
		text := s.file(s.row(soundCall(1)), s.row(soundCall(2)), s.row(soundCall(3)))
		want, err := readCalls(t, strings.NewReader(text), s.o)
		if err != nil || len(want) != 3 {
			t.Fatalf("%s: %q, %v", s.name, want, err)
		}
		for name, in := range map[string]string{"Windows": strings.ReplaceAll(text, "\n", "\r\n"), "old Macs": strings.ReplaceAll(text, "\n", "\r"), "a mark": "\ufeff" + text, "blank lines": strings.ReplaceAll(text, "\n", "\n\n")} {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				got, err := readCalls(t, strings.NewReader(in), s.o)
				if err != nil || len(got) != 3 {
					t.Fatalf("read as %q, %v", got, err)
				}
				for i := range got {
					_, g, _ := strings.Cut(got[i], ": ")
					if _, w, _ := strings.Cut(want[i], ": "); g != w && !(strings.Contains(g, "#") && s.o.Format.Source() == sourceAsterisk) {
						t.Errorf("record %d is\n%s, want\n%s", i+1, g, w)
					}
				}
			})
		}
	}
}

// TestALineOfAGigabyteIsReadInBoundedMemory streams it between a sound record and another one.
func TestALineOfAGigabyteIsReadInBoundedMemory(t *testing.T) {
	for i, s := range corpus() {
		t.Run(s.name, func(t *testing.T) {
			size := 24 << 20
			if i == 0 && !testing.Short() { // the others show as much in less time
				size = 1 << 30
			}
			record := s.row(soundCall(2))
			mid := len(record) / 2
			end := record[mid:]
			if s.between == "" {
				end += "\n"
			} else {
				end += s.between
			}
			in := io.MultiReader(strings.NewReader(s.head+s.row(soundCall(1))+s.between+record[:mid]), &endless{size}, strings.NewReader(end+s.row(soundCall(3))+s.tail))
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			r, err := NewReader(in, s.o)
			if err != nil {
				t.Fatal(err)
			}
			var call rating.Call
			var rec Record
			var got []string
			most := uint64(0)
			for err = r.Read(&call, &rec); err == nil; err = r.Read(&call, &rec) {
				got = append(got, spellRecord(&call, &rec))
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
				if len(got) > 10 || len(rec.Raw) > MaxRecord {
					t.Fatalf("%d records, %d bytes kept", len(got), len(rec.Raw))
				}
			}
			if most > before.HeapAlloc+48<<20 {
				t.Errorf("%d MB of memory at most, want less than 48", (most-before.HeapAlloc)>>20)
			}
			all := strings.Join(got, "|")
			if err != io.EOF || !strings.Contains(all, s.sound(t, 1)) || !strings.Contains(all, s.sound(t, 3)) || strings.Count(all, "longer than 64 KiB") != 1 {
				t.Errorf("read as %.600s, %v, want both sound records and one that is too long", all, err)
			}
		})
	}
}

// TestAHeaderOf10000ColumnsIsRefused gives each format that has one too many names, and none.
func TestAHeaderOf10000ColumnsIsRefused(t *testing.T) {
	for _, s := range corpus() {
		if !strings.HasSuffix(s.head, "\n") {
			continue
		}
		wide := strings.TrimSuffix(s.head, "\n") + strings.Repeat(",x", 10_000) + "\n"
		if got, err := readCalls(t, strings.NewReader(wide+s.row(soundCall(1))), s.o); err == nil || !strings.Contains(err.Error(), "at most 512 column names") {
			t.Errorf("%s: %q, %v, want at most 512 columns", s.name, got, err)
		}
	}
}

// TestWhatIsKeptOfARecordIsReadAgain mends what was kept of a record of each format, and reads it as the record.
func TestWhatIsKeptOfARecordIsReadAgain(t *testing.T) {
	for _, s := range corpus() {
		t.Run(s.name, func(t *testing.T) {
			c := soundCall(2)
			c.billsec = "x10"
			r, err := NewReader(strings.NewReader(s.file(s.row(c))), s.o)
			if err != nil {
				t.Fatal(err)
			}
			var call rating.Call
			var rec Record
			if err := r.Read(&call, &rec); err != nil || rec.Bad == "" {
				t.Skip("the format says no seconds of talk")
			}
			if _, err := Again(rec.Raw, s.o, &call); err == nil || !strings.HasSuffix(rec.Bad, err.Error()) {
				t.Errorf("read again it is refused with %v, want %s", err, rec.Bad)
			}
			o := s.o
			o.Source = o.Format.Source()
			if skipped, err := Again(strings.ReplaceAll(rec.Raw, "x10", "10"), o, &call); err != nil || skipped != "" {
				t.Fatalf("%s, %v: %s", skipped, err, rec.Raw)
			}
			var again Record
			_, got, _ := strings.Cut(spellRecord(&call, &again), ": ")
			if want := s.sound(t, 2); got != want && !strings.Contains(got, "#") {
				t.Errorf("read again as\n%s, want\n%s", got, want)
			}
		})
	}
	long := `{"record":"` + strings.Repeat("y", maxKept) + `"}`
	if _, err := Again(long, Options{Format: AsteriskCSV}, &rating.Call{}); err == nil || err.Error() != "only its first 24 KiB are kept: deliver it again, or correct it column by column" {
		t.Errorf("of a long one: %v", err)
	}
	two := corpus()[0].row(soundCall(1)) + corpus()[0].row(soundCall(2))
	if _, err := Again(two, Options{Format: FreeSWITCHJSON}, &rating.Call{}); err == nil || !strings.Contains(err.Error(), "more than one record") {
		t.Errorf("of two: %v", err)
	}
}

// TestABodyThatIsDamagedIsOneReason posts what mod_json_cdr and mod_format_cdr do, cut and spoilt.
func TestABodyThatIsDamagedIsOneReason(t *testing.T) {
	for _, s := range corpus() {
		whole := s.file(s.row(soundCall(2)))
		bodies := [][]byte{[]byte("\xff\xfe" + utf16le(whole)), []byte(utf16le(whole)), bytes.Repeat([]byte{0}, 100), []byte("\x1f\x8b\x08" + whole), []byte("\ufeff")}
		for n := 1; n < 10; n++ {
			at := len(whole) * n / 10
			for strings.IndexByte("\",", whole[at-1]) >= 0 { // a row of fewer columns is one too
				at++
			}
			bodies = append(bodies, []byte(whole[:at]))
		}
		t.Run(s.name, func(t *testing.T) {
			was := s.sound(t, 2)
			for _, body := range bodies {
				reasons := 0
				err := ReadBody(string(body), s.o, func(call *rating.Call, rec Record) error {
					if rec.Bad != "" {
						reasons++
						if len(rec.Raw) == 0 || len(rec.Raw) > MaxRecord {
							t.Errorf("%d bytes of %.60q are kept", len(rec.Raw), body)
						}
						return nil
					}
					if got := fmt.Sprint(spellRecord(call, &rec)); !strings.HasSuffix(got, was) && rec.Skipped == "" && !s.endless {
						t.Errorf("%.60q is read as %s", body, got)
					}
					return nil
				})
				if err != nil || reasons == 0 && !strings.HasSuffix(s.head, "\n") {
					t.Errorf("%q: %d reasons, %v", body, reasons, err)
				}
			}
		})
	}
}
