package kazoo

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"billd/rating"
	"billd/storage"
)

// taskLine is a row of a task's input and what became of it.
type taskLine struct {
	cells []string
	doc   document
	deck  string
	fresh *rating.Rate // as a new rate; nil when it cannot be one
	err   string
}

// rateWork is a task over rates whose input was read.
type rateWork struct {
	task   *storage.Task
	header []string
	lines  []*taskLine
}

// newRateWork reads the input, outside any transaction.
func newRateWork(t *storage.Task, input []byte) (*rateWork, error) {
	header, next, err := readSheetCSV(input)
	if err != nil {
		return nil, err
	}
	w := &rateWork{task: t, header: header}
	deck, _ := plain(readDocument(t.Arguments)["ratedeck_id"])
	for {
		cells, err := next()
		if err == io.EOF {
			return w, nil
		}
		if err != nil {
			return nil, err
		}
		l := &taskLine{cells: cells, doc: document{}, deck: deck}
		for i, name := range header {
			if i < len(cells) && cells[i] != "" {
				l.doc[name] = columnValue(name, cells[i])
			}
		}
		if d, ok := plain(l.doc["ratedeck_id"]); ok {
			l.deck = d
		}
		delete(l.doc, "ratedeck_id")
		if t.Action == "import" {
			l.read()
		}
		w.lines = append(w.lines, l)
	}
}

// columnValue reads a cell: lists are JSON, or texts with semicolons between them.
func columnValue(name, text string) any {
	text = strings.TrimSpace(text)
	if !slices.Contains([]string{"direction", "options", "routes", "caller_id_numbers"}, name) {
		return text
	}
	if v, err := decodeJSON([]byte(text)); err == nil {
		if list, ok := v.([]any); ok {
			return list
		}
	}
	var list []any
	for _, s := range strings.Split(text, ";") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// read makes a new rate of the line, to see whether it can be one. A name and a weight that it does
// not give are made up (contract 11.5).
func (l *taskLine) read() {
	doc := public(l.doc)
	r := &rating.Rate{}
	prefix, iso := cleanPrefix(doc["prefix"]), ""
	if s, ok := plain(doc["iso_country_code"]); ok {
		iso = strings.ToUpper(s)
	}
	if doc["rate_name"] == nil {
		name := prefix
		if iso != "" {
			name = iso + "_" + name
		}
		if list, ok := doc["direction"].([]any); ok && len(list) == 1 {
			name = fmt.Sprint(list[0], "_", name)
		}
		doc["rate_name"] = name
	}
	if cost, ok := plain(doc["rate_cost"]); ok && doc["weight"] == nil {
		if p, err := rating.ParsePrice(cost); err == nil {
			doc["weight"] = jsonInt(autoWeight(prefix, p))
		}
	}
	if err := readRateForm(r, doc); err != nil {
		l.err = complaint(err)
		return
	}
	r.KazooID = newRateID(r, doc)
	l.fresh = r
}

// autoWeight is the weight of a rate that was given none: it grows with the prefix and falls with the
// price.
func autoWeight(prefix string, cost rating.Price) int64 {
	return min(max(int64(len(prefix))*10-int64(cost)/10_000_000, 1), 100)
}

// complaint says in one line what is wrong with a row.
func complaint(err error) string {
	var f *failure
	if !errors.As(err, &f) {
		return err.Error()
	}
	p, ok := f.data.(problems)
	if !ok {
		return f.message
	}
	var parts []string
	for field, codes := range p {
		for code := range codes {
			parts = append(parts, field+": "+code)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// apply does the work and ends the task, unless it was stopped.
func (w *rateWork) apply(tx *storage.Tx) error {
	t, err := tx.Tasks.Get(w.task.ID)
	if err != nil || t.Status != storage.TaskExecuting {
		return err
	}
	puts := newRatePuts(tx)
	t.Succeeded, t.Failed = 0, 0
	out := newSheet(append(slices.Clone(w.header), "error")...)
	for _, l := range w.lines {
		why := l.err
		if why == "" {
			why, err = w.line(tx, puts, l)
			if err != nil {
				return err
			}
		}
		if why == "" {
			t.Succeeded++
		} else {
			t.Failed++
		}
		out.w.Write(append(slices.Clone(l.cells), why))
	}
	if err := puts.write(fmt.Sprintf("task %s %s: %d rows, %d refused", t.Category, t.Action, t.Succeeded, t.Failed)); err != nil {
		return err
	}
	out.w.Flush()
	if err := tx.WriteTaskFile(t.ID, storage.TaskOutput, out.b.Bytes()); err != nil {
		return err
	}
	t.EndedAt = tx.Now()
	switch {
	case t.Failed == 0:
		t.Status = storage.TaskSuccess
	case t.Succeeded == 0:
		t.Status = storage.TaskFailure
	default:
		t.Status = storage.TaskPartial
	}
	return tx.Tasks.Put(t)
}

// line does one line; why says what is wrong with it, "" for nothing.
func (w *rateWork) line(tx *storage.Tx, puts *ratePuts, l *taskLine) (why string, err error) {
	if w.task.Action == "delete" {
		return w.end(tx, puts, l)
	}
	r, err := puts.rate(l.deck, l.fresh.KazooID)
	if err != nil {
		return "", err
	}
	d := puts.deck(l.deck)
	if r == nil {
		made := *l.fresh
		puts.add(d, &made)
		return "", nil
	}
	doc, err := rateDocument(tx, d, r)
	if err != nil {
		return "", err
	}
	changed := *r
	if err := readRateForm(&changed, merge(doc, l.doc)); err != nil {
		return complaint(err), nil
	}
	puts.add(d, &changed)
	return "", nil
}

// end ends the rates of a prefix that say what the line says.
func (w *rateWork) end(tx *storage.Tx, puts *ratePuts, l *taskLine) (string, error) {
	prefix := cleanPrefix(l.doc["prefix"])
	d, err := deckCalled(tx, l.deck)
	if rating.KindOf(err) == rating.NotFound || prefix == "" {
		return "no such rate", nil
	}
	if err != nil {
		return "", err
	}
	found := false
	err = eachRateAt(tx, d, prefix, func(r *rating.Rate) error {
		view, err := rateDocument(tx, d, r)
		if err != nil {
			return err
		}
		for key, want := range l.doc {
			if key != "prefix" && cell(view[key]) != cell(want) {
				return nil
			}
		}
		found = true
		r.Till, r.KazooID = tx.Now(), ""
		puts.add(d, r)
		return nil
	})
	if err == nil && !found {
		return "no such rate", nil
	}
	return "", err
}
