package ops

import (
	"fmt"
	"io"
	"strings"
	"time"
)

func (f *ExplainedFile) print(w io.Writer) error {
	fmt.Fprintf(w, "format %s, %s\nsource %s, stamps without a zone are of %s\n", f.Format, f.Why, f.Source, f.Zone)
	for _, e := range f.Records {
		fmt.Fprintln(w)
		if err := e.print(w); err != nil {
			return err
		}
	}
	if f.More {
		fmt.Fprintln(w, "\nand more: --limit says how many records are told of")
	}
	return nil
}

func (e *ExplainedCDR) print(w io.Writer) error {
	fmt.Fprintln(w, e.headline())
	t := NewTable(w, "what", "", "")
	for _, s := range e.Said {
		t.Row("read", s.Means, fmt.Sprintf("%s %q", s.Column, s.Text))
	}
	e.printCall(t.Row)
	for _, n := range e.Numbers {
		t.Row(n.End, "came", n.Came)
		for _, r := range n.Rules {
			became := r.After
			if r.After == r.Before {
				became = "as it was"
			}
			t.Row("", r.Rule, became)
		}
		t.Row("", "rated", n.Rated)
	}
	if p := e.Payer; p != nil {
		t.Row("payer", fmt.Sprintf("account %d, %s", p.ID, p.Name), "by "+p.Rule)
		if p.Profile != "" {
			t.Row("", "source", p.Profile)
		}
	}
	if r := e.Rate; r != nil {
		t.Row("rate", fmt.Sprintf("%d of deck %s", r.ID, r.Deck), strings.TrimSpace(r.Prefix+" "+r.Name))
		for _, s := range r.Steps {
			amount := s.Amount
			if amount == noAmount {
				amount = ""
			}
			t.Row("", s.Text, amount)
		}
	}
	for _, note := range e.Notes {
		t.Row("note", note, "")
	}
	return t.Close()
}

// headline says what becomes, or became, of the call.
func (e *ExplainedCDR) headline() string {
	where := ""
	switch {
	case e.Line != 0:
		where = fmt.Sprintf("record %d: ", e.Line)
	case e.ID != "":
		where = "call " + e.ID + ": "
	}
	switch {
	case e.Skipped != "":
		return where + "passed over: " + e.Skipped
	case e.Reason != "":
		return where + "kept in suspense, " + e.Reason + ": " + e.Detail
	case e.Outcome == "duplicate" && e.Earlier != "":
		return where + "a duplicate of call " + e.Earlier
	case e.Price == nil:
		return where + e.Outcome
	}
	return where + e.Outcome + ", " + e.Price.String() + " " + e.Currency
}

func (e *ExplainedCDR) printCall(row func(...any)) {
	for _, at := range [...]struct {
		name string
		t    *time.Time
	}{{"start", e.Start}, {"answer", e.Connect}, {"end", e.End}} {
		if at.t != nil {
			row("call", at.name, at.t.Format(time.RFC3339Nano))
		}
	}
	if e.Seconds != nil {
		row("call", "talk", fmt.Sprintf("%d s", *e.Seconds))
	}
	for _, s := range [...]struct{ name, text string }{{"id", e.CallID}, {"source", e.Source}, {"direction", e.Direction}, {"gateway", e.Gateway}, {"ip", e.IP}, {"account", e.Account}} {
		if s.text != "" {
			row("call", s.name, s.text)
		}
	}
}
