package dataformat

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// Options say what records leave open.
type Options struct {
	Source string         // the source of records, whatever they name; "" is what they name
	Zone   *time.Location // of times that name none; UTC when nil
	Now    time.Time      // when the records came: the time of those that name none; zero: they must name it
	Wraps  bool           // the source sends no gigawords, and a smaller total is a counter that passed 2³²
}

// reading keeps the first thing that is wrong with a record.
type reading struct {
	f     Fields
	o     Options
	wrong string
}

// Records returns what a record's fields say. What cannot be read is the records' Damage.
func Records(f Fields, o Options) []rating.DataRecord {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r := &reading{f: f, o: o}
	rec := rating.DataRecord{Source: f.first(names.source), Session: f.first(names.session), User: f.first(names.user),
		Address: f.first(names.address), Calling: f.first(names.calling), Called: f.first(names.called), Cause: f.first(names.cause), Wraps: o.Wraps}
	if o.Source != "" {
		rec.Source = o.Source
	}
	rec.Seconds = uint32(r.number(names.seconds, math.MaxUint32))
	rec.Input, rec.Output = r.octets(names.input, names.inputGiga), r.octets(names.output, names.outputGiga)
	status, start := f.first(names.status), f.first(names.start)
	if status == "" && start != "" {
		return r.session(rec)
	}
	var err error
	if rec.Status, err = rating.ParseDataStatus(status); err != nil {
		r.fault("%v", err)
	}
	rec.At = r.at(names.time)
	if rec.At.IsZero() && r.wrong == "" {
		if o.Now.IsZero() {
			r.fault("time: none")
		} else {
			rec.At = o.Now.Add(-time.Duration(r.number(names.delay, 1<<31)) * time.Second).Truncate(time.Second)
		}
	}
	rec.Damage = r.wrong
	return []rating.DataRecord{rec}
}

// session reads a row of radacct: when the session started, and what is known of it last.
func (r *reading) session(rec rating.DataRecord) []rating.DataRecord {
	start := rec
	start.Status, start.At, start.Input, start.Output, start.Seconds, start.Cause = rating.DataStart, r.at(names.start), 0, 0, 0, ""
	rec.Status, rec.At = rating.DataInterim, r.at(names.update)
	if stop := r.at(names.stop); !stop.IsZero() {
		rec.Status, rec.At = rating.DataStop, stop
	} else if rec.At.IsZero() {
		rec.At = start.At.Add(time.Duration(rec.Seconds) * time.Second)
	}
	start.Damage, rec.Damage = r.wrong, r.wrong
	if rec.Status == rating.DataInterim && rec.Input == 0 && rec.Output == 0 || r.wrong != "" {
		return []rating.DataRecord{start}
	}
	return []rating.DataRecord{start, rec}
}

func (r *reading) fault(format string, args ...any) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// number reads a whole number; none is 0.
func (r *reading) number(spellings []string, most uint64) uint64 {
	text := r.f.first(spellings)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		r.fault("%s %.40q: want a number from 0 to %d", spellings[0], text, most)
		return 0
	}
	return n
}

// octets joins a counter with its gigawords. A counter that is already wider than 32 bits has them in it.
func (r *reading) octets(spellings, gigawords []string) uint64 {
	n := r.number(spellings, math.MaxInt64)
	giga := r.number(gigawords, math.MaxInt32)
	if giga > 0 && n > math.MaxUint32 {
		r.fault("%s %d: more than 32 bits, and gigawords beside it", spellings[0], n)
		return 0
	}
	return giga<<32 + n
}

// layouts are the spellings of times: RFC 3339, what databases write, and how FreeRADIUS prints a date.
var layouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999", "Jan _2 2006 15:04:05 MST", "Jan _2 2006 15:04:05"}

// at reads a time: seconds since 1970 or one of the layouts; none is the zero time. A zone's name is taken
// only where it says UTC: other short names mean several zones.
func (r *reading) at(spellings []string) time.Time {
	text := r.f.first(spellings)
	if text == "" {
		return time.Time{}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n < 1<<38 {
		return time.Unix(n, 0).UTC()
	}
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, text, r.o.Zone)
		if err != nil {
			continue
		}
		if name, offset := t.Zone(); strings.HasSuffix(layout, "MST") && offset == 0 && name != "UTC" && name != "GMT" {
			break
		}
		return t.UTC()
	}
	r.fault("%s %.40q: want a time as 2026-11-21T14:32:10Z, or seconds since 1970", spellings[0], text)
	return time.Time{}
}
