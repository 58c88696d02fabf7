package ops

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"billd/rating"
	"billd/rating/deckcsv"
	"billd/storage"
)

// ExportRatesArgs say which deck to write, and how.
type ExportRatesArgs struct {
	Deck   string `json:"deck,omitempty"`   // "default" when empty
	Format string `json:"format,omitempty"` // csv when empty, json, yeti, kazoo, portsip or plain
}

// exportPage is how many rows one View of an export reads, so that old pages are let go of.
const exportPage = 1_000

// exportRates writes every row of a deck with its validity, past and future ones too, in order of the
// prefixes.
func exportRates(ctx context.Context, env *Env, args ExportRatesArgs, o *IO) (int, error) {
	if args.Deck == "" {
		args.Deck = "default"
	}
	var deck *rating.Deck
	err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		deck, err = deckNamed(tx, args.Deck)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	var out rateWriter
	form, isForm := exportForms[args.Format]
	switch {
	case args.Format == "json":
		out = &jsonRates{w: bufio.NewWriterSize(o.Out, 64<<10), deck: deck}
	case isForm:
		var extras []string
		if form == deckcsv.FormBilld {
			extras = rateExtras
		}
		w, err := deckcsv.NewWriter(o.Out, form, extras...)
		if err != nil {
			return ExitFailed, err
		}
		out = &csvRates{w: w, deck: deck, form: form, now: env.DB.Now(), told: o.Err}
	default:
		return ExitUsage, Usagef("format %q: want csv, json, yeti, kazoo, portsip or plain", args.Format)
	}
	if err := writeRates(ctx, env, deck, out, o); err != nil {
		return ExitFailed, err
	}
	if err := out.end(); err != nil {
		return ExitFailed, err
	}
	if c, ok := out.(*csvRates); ok && c.unsaid > 0 {
		return ExitPartly, nil
	}
	return ExitOK, nil
}

// exportForms are the forms that export-rates writes as CSV.
var exportForms = map[string]deckcsv.Form{
	"": deckcsv.FormBilld, "csv": deckcsv.FormBilld, "yeti": deckcsv.FormYeti, "kazoo": deckcsv.FormKazoo, "portsip": deckcsv.FormPortSIP, "plain": deckcsv.FormPlain,
}

// deckNamed finds a deck, or says that there is none of the name.
func deckNamed(tx *storage.Tx, name string) (*rating.Deck, error) {
	d, err := tx.DeckNamed(name)
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "deck", "deck %s does not exist", name)
	}
	return d, err
}

// rateWriter is one form of an export.
type rateWriter interface {
	rate(r *rating.Rate, uuid rating.UUID) error
	end() error
}

type exportedRow struct {
	rate rating.Rate
	uuid rating.UUID
}

func writeRates(ctx context.Context, env *Env, deck *rating.Deck, out rateWriter, o *IO) error {
	page := make([]exportedRow, 0, exportPage)
	from, after, done := "", rating.RateID(0), int64(0)
	for more := true; more; {
		page, more = page[:0], false
		err := env.DB.View(ctx, func(tx *storage.Tx) error {
			return tx.RatesFrom(deck.ID, from, after, func(r *rating.Rate) (bool, error) {
				if r.Gen <= deck.Generation {
					page = append(page, exportedRow{*r, tx.RateUUID(r)})
				}
				from, after = r.Prefix, r.ID
				more = len(page) == exportPage
				return !more, nil
			})
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := out.rate(&page[i].rate, page[i].uuid); err != nil {
				return err
			}
		}
		done += int64(len(page))
		o.Progress(done, 0, "rates")
	}
	return nil
}

// csvRates is an export as CSV. A form without dates gets the rates in force at one moment, and a rate
// that a form cannot say in full is left out and told of: half a price is a wrong price.
type csvRates struct {
	w      *deckcsv.Writer
	deck   *rating.Deck
	form   deckcsv.Form
	now    time.Time
	told   io.Writer
	unsaid int
}

// shownUnsaid is how many of the rates that were left out are named.
const shownUnsaid = 20

func (c *csvRates) rate(r *rating.Rate, uuid rating.UUID) error {
	if !c.form.Dated() && !r.ValidAt(c.now) {
		return nil
	}
	row, err := fileRow(c.deck, r, uuid)
	if err != nil {
		return err
	}
	if lost := c.form.Unsaid(row); lost != "" {
		if c.unsaid++; c.unsaid <= shownUnsaid {
			fmt.Fprintf(c.told, "rate %d, prefix %s, is left out: %s cannot say %s\n", r.ID, r.Prefix, c.form, lost)
		}
		return nil
	}
	return c.w.Write(row)
}

func (c *csvRates) end() error {
	if more := c.unsaid - shownUnsaid; more > 0 {
		fmt.Fprintf(c.told, "… %d more\n", more)
	}
	return c.w.Flush()
}

// jsonRates is the JSON export: an array with a rate on each line.
type jsonRates struct {
	w    *bufio.Writer
	deck *rating.Deck
	n    int
}

func (j *jsonRates) rate(r *rating.Rate, uuid rating.UUID) error {
	b, err := json.Marshal(newExportedRate(j.deck, r, uuid))
	if err != nil {
		return err
	}
	j.separate()
	_, err = j.w.Write(b)
	return err
}

func (j *jsonRates) separate() {
	text := ",\n"
	if j.n == 0 {
		text = "[\n"
	}
	j.n++
	io.WriteString(j.w, text) // a failure of the writer below comes back from Flush
}

func (j *jsonRates) end() error {
	text := "\n]\n"
	if j.n == 0 {
		text = "[]\n"
	}
	io.WriteString(j.w, text)
	return j.w.Flush()
}
