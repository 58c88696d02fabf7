package ops

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// detailHead is how much of a file tells whether it is a detail file.
const detailHead = 4096

// isDetail reports whether a file is to be read as a detail file, and returns the file.
func isDetail(in io.Reader, format string) (bool, io.Reader) {
	if format != "" && format != cdrformat.Auto.String() {
		return format == cdrformat.RadiusDetail, in
	}
	b := bufio.NewReaderSize(in, detailHead)
	head, _ := b.Peek(detailHead) // what fails fails again when it is read
	return cdrformat.IsDetail(string(head)), b
}

// detailFile is a detail file, read as if its records came as packets.
type detailFile struct {
	env    *Env
	r      *cdrformat.DetailReader
	nas    *storage.NAS // whose all records are, nil to go by their addresses
	zone   string       // of times that name none, "" for the NAS's
	source bool         // nas is made of a source's name: there is no such row
}

// openDetail begins to read a detail file. name is the NAS that sent the packets, as the server knows it, or ""; source, where
// there is no such NAS, what the records come from.
func openDetail(ctx context.Context, env *Env, in io.Reader, name, source, zone string, wraps bool) (*detailFile, error) {
	f := &detailFile{env: env, zone: zone}
	switch {
	case name != "":
		err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
			f.nas, err = tx.NASNamed(name)
			return err
		})
		if err != nil {
			return nil, err
		}
		f.zone = cmp.Or(zone, f.nas.Zone)
	case source != "":
		f.nas, f.source = &storage.NAS{Name: source, Wraps: wraps}, true
	}
	at, err := time.LoadLocation(f.zone)
	if err != nil || f.zone == "Local" {
		return nil, rating.Broken("zone", "zone", "", "zone %.40q: want the name of a time zone, such as Europe/Berlin", f.zone)
	}
	f.r = cdrformat.NewDetailReader(in, at)
	return f, nil
}

// next reads the next record into d. rec is nil for one that is unreadable, as d says, one that says nothing
// of a call or a session, and one of a stranger, which stranger names. Fails with io.EOF at the end.
func (f *detailFile) next(ctx context.Context, d *cdrformat.Detail) (rec *RadiusRecord, stranger string, err error) {
	if err := f.r.Read(d); err != nil || d.Bad != "" {
		return nil, "", err
	}
	if p := &d.Packet; p.Kind == cdrformat.RadiusOther && p.Status != cdrformat.RadiusOn && p.Status != cdrformat.RadiusOff {
		return nil, "", nil
	}
	nas, from := f.nas, cmp.Or(d.Sender, d.Packet.NAS())
	switch {
	case f.source:
		from = d.Packet.NAS()
	case nas != nil:
		from = sender(nas, d)
	default:
		at, bad := netip.ParseAddr(from)
		if bad == nil {
			nas, err = f.env.DB.NASAt(ctx, at)
		}
		if err != nil || nas == nil {
			return nil, cmp.Or(from, "an address that the record does not say"), err
		}
	}
	if f.zone != "" && f.zone != nas.Zone {
		here := *nas
		here.Zone = f.zone
		nas = &here
	}
	return NewRadiusRecord(nas, from, d.Heard, d.Packet), "", nil
}

// sender returns the address that a record of nas came from: what the record says; else the machine that it is
// about, if that is of the NAS's network, and what passed it on if it is not.
func sender(nas *storage.NAS, d *cdrformat.Detail) string {
	if d.Sender != "" {
		return d.Sender
	}
	network, _ := storage.ParseNetwork(nas.Network) // was read when it was saved
	if at, err := netip.ParseAddr(d.Packet.NAS()); err == nil && network.Contains(at) {
		return d.Packet.NAS()
	}
	return network.Addr().String()
}

// Why records of a detail file are passed over.
const (
	passedStranger = "of no known NAS: say whose they are, --nas NAME, or --source NAME"
	passedData     = "of broadband sessions, which billd data import takes"
	passedVoice    = "of calls, which billd import-cdrs takes"
	passedOther    = "that say nothing of a call or a session"
	passedRestart  = "that say a machine was switched on or off"
)

// eachSession gives the broadband sessions' records of a detail file, as dataformat.Each does, and counts
// what else is there.
func (f *detailFile) eachSession(ctx context.Context, passed map[string]int, fn func(line int, records []rating.DataRecord, err error) error) error {
	var d cdrformat.Detail
	for {
		rec, stranger, err := f.next(ctx, &d)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case d.Bad != "":
			err = fn(d.Line, nil, fmt.Errorf("%s", d.Bad))
		case stranger != "":
			err = fn(d.Line, nil, fmt.Errorf("%s is no NAS: say whose records these are, --nas NAME, or --source NAME", stranger))
		case rec == nil:
			passed[passedOther]++
		case rec.Packet.Kind.Voice() && !rec.Restart():
			passed[passedVoice]++
		default:
			err = fn(d.Line, []rating.DataRecord{rec.Data()}, nil)
		}
		if err != nil {
			return err
		}
	}
}

// detailCalls charges the calls of a detail file.
type detailCalls struct {
	env     *Env
	sum     ImportedCDRs
	skipped map[string]int
	batch   cdrBatch
}

// importDetail charges the calls of a detail file, a batch a commit, by the way that packets take.
func importDetail(ctx context.Context, env *Env, args ImportCDRsArgs, o *IO) (int, error) {
	if args.Rated {
		return ExitUsage, Usagef("a detail file has no prices: take --rated away")
	}
	if args.DryRun {
		return ExitUsage, Usagef("a detail file cannot be tried: take --dry-run away")
	}
	f, err := openDetail(ctx, env, o.In, args.NAS, args.Source, args.Zone, false)
	if err != nil {
		return ExitUsage, &UsageError{err}
	}
	c := &detailCalls{env: env, sum: ImportedCDRs{Format: cdrformat.RadiusDetail}, skipped: map[string]int{}}
	began := time.Now()
	err = c.read(ctx, f, args.Source)
	if c.sum.Seconds = time.Since(began).Seconds(); c.sum.Seconds > 0 {
		c.sum.CDRsPerSecond = float64(c.sum.Read) / c.sum.Seconds
	}
	code, err := c.sum.report(ctx, env, args, c.skipped, err, o)
	if code == ExitOK && c.skipped[passedStranger] > 0 {
		code = ExitPartly
	}
	return code, err
}

// read takes the file in.
func (c *detailCalls) read(ctx context.Context, f *detailFile, source string) error {
	var d cdrformat.Detail
	for {
		rec, stranger, err := f.next(ctx, &d)
		if err == io.EOF {
			return c.charge(ctx)
		}
		if err != nil {
			return err
		}
		c.take(&d, rec, stranger, source)
		if len(c.batch.records) == maxDataBatch {
			if err := c.charge(ctx); err != nil {
				return err
			}
		}
	}
}

// take sorts a record.
func (c *detailCalls) take(d *cdrformat.Detail, rec *RadiusRecord, stranger, source string) {
	var record storage.Record
	why := ""
	switch {
	case d.Bad != "":
		record = storage.Record{Raw: d.Raw, Detail: fmt.Sprintf("line %d: %s", d.Line, d.Bad), Source: cmp.Or(source, cdrformat.RadiusDetail)}
	case stranger != "":
		why = passedStranger
	case rec == nil:
		why = passedOther
	case rec.Restart():
		why = passedRestart // of old: it would end calls that have begun since
	case rec.Packet.Kind == cdrformat.RadiusData:
		why = passedData
	default:
		record, why = rec.Call(c.env)
	}
	if why != "" {
		c.skipped[why]++
		c.sum.Skipped++
		return
	}
	c.batch.records, c.batch.lines = append(c.batch.records, record), append(c.batch.lines, d.Line)
}

// charge takes the batch into the store.
func (c *detailCalls) charge(ctx context.Context) error {
	if len(c.batch.records) == 0 {
		return ctx.Err()
	}
	verdicts, err := c.env.DB.ChargeNow(ctx, c.batch.records)
	if err == nil {
		c.sum.count(&c.batch, verdicts)
	}
	c.batch.records, c.batch.lines = c.batch.records[:0], c.batch.lines[:0]
	return err
}

// printPassed says what was passed over.
func printPassed(o *IO, name string, passed map[string]int) {
	for _, why := range slices.Sorted(maps.Keys(passed)) {
		fmt.Fprintf(o.Err, "%s: %d passed over: %s\n", name, passed[why], why)
	}
}
