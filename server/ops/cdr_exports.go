package ops

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// cdrExportPage is how many calls one View of an export gathers, so that old pages of the store are let
// go of.
const cdrExportPage = 5000

// The forms in which an export writes moments. Source: Yeti, contract 4.5.
const (
	TimeWithZone    = "with_timezone"
	TimeWithoutZone = "without_timezone"
	TimeInSeconds   = "round_to_seconds"
)

// RunCDRExports makes the files of the exports that wait and drops those that were kept long enough. It
// returns how many exports it ended. One that a crash interrupted is begun anew.
func RunCDRExports(ctx context.Context, env *Env) (ended int, err error) {
	var waiting, old []uint64
	if err = env.DB.View(ctx, func(tx *storage.Tx) error {
		waiting, old = tx.WaitingExports(), tx.OldExports()
		return nil
	}); err != nil {
		return 0, err
	}
	for _, id := range old {
		if err := env.DB.Update(ctx, func(tx *storage.Tx) error {
			e, err := tx.CDRExports.Get(id)
			if err != nil || e.Status != storage.ExportCompleted {
				return err
			}
			return tx.DropCDRExport(e)
		}); err != nil {
			return ended, err
		}
		ended++
	}
	for _, id := range waiting {
		if err := runExport(ctx, env, id); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// runExport makes one export's file. What is wrong with the export itself becomes its status; the error
// is of the store or the context, and the export is tried again.
func runExport(ctx context.Context, env *Env, id uint64) error {
	var e *storage.CDRExport
	err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if e, err = tx.CDRExports.Get(id); err != nil || e.Status != storage.ExportPending {
			return err
		}
		return tx.ClearCDRExport(id)
	})
	if err != nil || e.Status != storage.ExportPending {
		return err
	}
	w := &exportWriter{ctx: ctx, env: env, e: e, names: map[[2]int64]string{}}
	err = w.run()
	if rating.KindOf(err) == rating.Conflict && err != nil {
		return nil // deleted meanwhile
	}
	if k := rating.KindOf(err); err != nil && k != rating.Range && k != rating.Invalid {
		return err
	}
	return env.DB.Update(ctx, func(tx *storage.Tx) error {
		now, getErr := tx.CDRExports.Get(id)
		if getErr != nil || now.Status != storage.ExportPending {
			return getErr
		}
		now.UpdatedAt = tx.Now()
		if err != nil {
			now.Status, now.Error = storage.ExportFailed, err.Error()
			if e := tx.ClearCDRExport(id); e != nil {
				return e
			}
			return endExport(tx, now)
		}
		now.Status, now.Rows, now.Size = storage.ExportCompleted, &w.rows, w.size
		return endExport(tx, now)
	})
}

// endExport keeps what became of an export and queues the request that tells so, as Yeti makes it: a
// GET with the number and the status as a form.
func endExport(tx *storage.Tx, e *storage.CDRExport) error {
	if err := tx.CDRExports.Put(e); err != nil || e.Callback == nil || *e.Callback == "" {
		return err
	}
	number := strconv.FormatUint(e.ID, 10)
	body, err := json.Marshal(map[string]string{"export_id": number, "status": e.Status.String()})
	if err != nil {
		return err
	}
	return tx.Queue(&storage.Message{Key: "cdr export/" + number, Event: "CDRExport" + e.Status.String(), Account: e.Account,
		Hook: &storage.Hook{URL: *e.Callback, Method: "GET", Body: body}})
}

// exportWriter writes one export's file as compressed CSV, in parts.
type exportWriter struct {
	ctx    context.Context
	env    *Env
	e      *storage.CDRExport
	fields []exportField
	names  map[[2]int64]string // of countries and networks, by column and number
	zone   *time.Location
	gz     *gzip.Writer
	buf    bytes.Buffer // compressed, not stored yet
	line   []byte
	rows   int64
	size   int64
}

func (w *exportWriter) run() error {
	s, err := w.e.Search()
	if err != nil {
		return err
	}
	if err := w.columns(); err != nil {
		return err
	}
	w.gz = gzip.NewWriter(&w.buf)
	if _, err := w.gz.Write(append(w.line, '\n')); err != nil {
		return err
	}
	last := rating.CDRID(0)
	for more := true; more; {
		if more, err = w.page(s, &last); err != nil {
			return err
		}
		if err := w.store(storage.ExportChunkBytes); err != nil {
			return err
		}
	}
	if err := w.gz.Close(); err != nil {
		return err
	}
	return w.store(1)
}

// columns reads what the file consists of and makes its first line.
func (w *exportWriter) columns() error {
	w.zone = time.UTC
	if w.e.Zone != nil {
		zone, err := time.LoadLocation(*w.e.Zone)
		if err != nil {
			return rating.Errorf(rating.Invalid, "time_zone", "time zone %q is not known", *w.e.Zone)
		}
		w.zone = zone
	}
	for i, name := range w.e.Fields {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = appendQuoted(w.line, heading(name))
		f, ok := rating.CDRFieldNamed(name)
		if !ok && !ExportColumn(name) {
			return rating.Errorf(rating.Invalid, "fields", "column %s is not known", name)
		}
		w.fields = append(w.fields, exportField{f, madeColumns[name]})
	}
	return nil
}

// page writes the calls that come after last, newest first, and reports whether there may be more.
func (w *exportWriter) page(s *storage.CallSearch, last *rating.CDRID) (more bool, err error) {
	search := *s
	if *last != 0 {
		till := (int64(*last>>20) + 1) * 1000 // the millisecond of the last call, whole (R16)
		if search.Till == 0 || till < search.Till {
			search.Till = till
		}
	}
	seen := *last
	err = w.env.DB.View(w.ctx, func(tx *storage.Tx) error {
		n := 0
		var c rating.CDR
		return tx.EachCall(w.ctx, &search, func(row *storage.CallRow) (bool, error) {
			if seen != 0 && row.ID() >= seen {
				return true, nil
			}
			if w.rows == storage.MaxExportRows {
				return false, rating.Errorf(rating.Range, "rows", "the export has more than %d rows", storage.MaxExportRows)
			}
			c.Reset()
			if err := row.Decode(&c); err != nil {
				return false, err
			}
			*last = row.ID()
			w.rows++
			n++
			more = n == cdrExportPage
			return !more, w.write(tx, &c)
		})
	})
	return more, err
}

func (w *exportWriter) write(tx *storage.Tx, c *rating.CDR) error {
	w.line = w.line[:0]
	for i, f := range w.fields {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		text := ""
		switch {
		case f.made != nil:
			text = f.made(w, tx, c)
		case f.field == rating.CDRUUID:
			text = tx.CDRUUID(c)
		case f.field.Kind() == rating.KindTime && c.Has(f.field):
			text = w.moment(c.Time(f.field))
		default:
			text = c.Format(f.field)
		}
		w.line = appendQuoted(w.line, text)
	}
	_, err := w.gz.Write(append(w.line, '\n'))
	return err
}

// moment spells a moment in the form and zone that the export asks for.
func (w *exportWriter) moment(t time.Time) string {
	t = t.In(w.zone)
	switch w.e.TimeFormat {
	case TimeWithoutZone:
		return t.Format("2006-01-02 15:04:05.999999")
	case TimeInSeconds:
		return t.Round(time.Second).Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05.999999-07:00")
}

// store keeps what is compressed, when it is at least so many bytes.
func (w *exportWriter) store(least int) error {
	for w.buf.Len() >= least {
		part := w.buf.Next(storage.ExportChunkBytes)
		if w.size += int64(len(part)); w.size > storage.MaxExportBytes {
			return rating.Errorf(rating.Range, "size", "the export's file is larger than %d bytes", storage.MaxExportBytes)
		}
		if err := w.env.DB.Update(w.ctx, func(tx *storage.Tx) error { return tx.AppendCDRExport(w.e.ID, part) }); err != nil {
			return err
		}
	}
	return nil
}

// heading spells a column's name as a title: time_start is Time Start.
func heading(name string) string {
	if name == "id" {
		return "ID"
	}
	words := strings.Split(name, "_")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

// appendQuoted appends a CSV field in quotes.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}
