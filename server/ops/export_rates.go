package ops

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"billd/rating"
	"billd/rating/deckcsv"
	"billd/storage"
)

// ExportRatesArgs say which deck to write, and how.
type ExportRatesArgs struct {
	Deck   string `json:"deck,omitempty"`   // "default" when empty
	Format string `json:"format,omitempty"` // csv when empty, or json
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
	switch args.Format {
	case "", "csv":
		w, err := deckcsv.NewWriter(o.Out, deckcsv.FormBilld, rateExtras...)
		if err != nil {
			return ExitFailed, err
		}
		out = &csvRates{w, deck}
	case "json":
		out = &jsonRates{w: bufio.NewWriterSize(o.Out, 64<<10), deck: deck}
	default:
		return ExitUsage, Usagef("format %q: want csv or json", args.Format)
	}
	if err := writeRates(ctx, env, deck, out, o); err != nil {
		return ExitFailed, err
	}
	return ExitOK, out.end()
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

// csvRates is the CSV export.
type csvRates struct {
	w    *deckcsv.Writer
	deck *rating.Deck
}

func (c *csvRates) rate(r *rating.Rate, uuid rating.UUID) error {
	row, err := fileRow(c.deck, r, uuid)
	if err != nil {
		return err
	}
	return c.w.Write(row)
}

func (c *csvRates) end() error { return c.w.Flush() }

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
