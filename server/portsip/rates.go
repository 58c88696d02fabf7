package portsip

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// listRates answers GET /api/call_rates.
func (a *API) listRates(c *fiber.Ctx, _ *session) error {
	q, err := parseQuery(c, rateColumns)
	if err != nil {
		return err
	}
	l := &list[rating.Rate]{q: q}
	var index *rating.DeckIndex
	if d := a.o.DB.Catalog().Deck(rating.DefaultDeck); d != nil {
		index = d.Index
	}
	err = a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error { return a.findRates(tx, l, index) })
	if err != nil {
		return err
	}
	return sendJSON(c, l.body())
}

// findRates walks the deck in the order that costs least: a filter that fixes the beginning of the
// prefix, and an order by prefix, use the index by prefix; everything else goes by number.
func (a *API) findRates(tx *storage.Tx, l *list[rating.Rate], index *rating.DeckIndex) error {
	prefix := l.q.filter.prefixHint("prefix")
	desc, byPrefix := l.q.orderedBy("prefix")
	byPrefix = byPrefix && !desc
	var scan *storage.RateScan
	var err error
	if prefix != "" || byPrefix {
		scan, err = tx.RatesByPrefix(rating.DefaultDeck, prefix)
	} else {
		scan, err = tx.RatesByNumber(rating.DefaultDeck, 0)
	}
	if err != nil {
		return err
	}
	l.src = rateSource(tx, scan)
	switch inOrder := byPrefix || len(l.q.order) == 0 && prefix == ""; {
	case !inOrder:
		return l.sort()
	case !l.q.whole():
		return l.sift()
	}
	if err := l.cut(); err != nil {
		return err
	}
	l.count, err = a.rateCount.of(tx, index)
	return err
}

func rateSource(tx *storage.Tx, scan *storage.RateScan) source[rating.Rate] {
	return source[rating.Rate]{
		next: scan.Next, id: func() uint64 { return uint64(scan.ID()) }, load: scan.Rate, err: scan.Err,
		byID: func(id uint64, r *rating.Rate) error {
			found, err := tx.Rates.Get(id)
			if err == nil {
				*r = *found
			}
			return err
		},
		item: func(dst []byte, r *rating.Rate) []byte { return appendRate(dst, r, rateItemFields) },
	}
}

// rateCount remembers how many rates are in force until the deck changes or a rate comes or goes by
// the clock. The zero value is ready.
type rateCount struct {
	mu    sync.Mutex
	index *rating.DeckIndex // every change of the deck makes another
	n     int
	until time.Time
}

// of returns the count that tx sees; index is the deck's as published before tx began.
func (rc *rateCount) of(tx *storage.Tx, index *rating.DeckIndex) (int, error) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.index == index && index != nil && (rc.until.IsZero() || tx.Now().Before(rc.until)) {
		return rc.n, nil
	}
	n, until, err := tx.CountRates(rating.DefaultDeck)
	if err != nil {
		return 0, err
	}
	rc.index, rc.n, rc.until = index, n, until
	return n, nil
}

// createRate answers POST /api/call_rates.
func (a *API) createRate(c *fiber.Ctx, s *session) error {
	o, err := readObject(c)
	if err != nil {
		return err
	}
	r, err := newRate(o)
	if err != nil {
		return err
	}
	err = a.o.DB.Update(s.context(c), func(tx *storage.Tx) error {
		if err := prefixFree(tx, r.Prefix); err != nil {
			return err
		}
		r.ID = 0 // an engine may run this again
		return tx.Rates.Put(r)
	})
	if err != nil {
		return err
	}
	return sendJSON(c, append(appendString([]byte(`{"id":`), rateID(r)), '}'))
}

// prefixFree refuses a prefix that a rate in force already has.
func prefixFree(tx *storage.Tx, prefix string) error {
	id, err := tx.RateOfPrefix(rating.DefaultDeck, prefix)
	if err != nil || id == 0 {
		return err
	}
	return &rating.Error{Kind: rating.Conflict, Field: "prefix", Rule: "taken", Msg: "prefix: another call rate has it"}
}

// rateOf returns the rate that the path names.
func rateOf(c *fiber.Ctx, tx *storage.Tx) (*rating.Rate, error) {
	n, err := decodeNumber(c.Params("id"))
	if err != nil {
		return nil, err
	}
	r, err := tx.RateInForce(rating.DefaultDeck, rating.RateID(n))
	if rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "id", "no such call rate")
	}
	return r, err
}

// readRate answers GET /api/call_rates/{id}.
func (a *API) readRate(c *fiber.Ctx, _ *session) error {
	var r *rating.Rate
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) (err error) {
		r, err = rateOf(c, tx)
		return err
	})
	if err != nil {
		return err
	}
	return sendJSON(c, appendRate(nil, r, rateFields))
}

// updateRate answers POST /api/call_rates/{id}. The record's own errors come before the body's.
func (a *API) updateRate(c *fiber.Ctx, s *session) error {
	o, bodyErr := readObject(c)
	return a.o.DB.Update(s.context(c), func(tx *storage.Tx) error {
		r, err := rateOf(c, tx)
		if err != nil {
			return err
		}
		if bodyErr != nil {
			return bodyErr
		}
		was := r.Prefix
		if err := applyRate(r, o).Err(); err != nil {
			return err
		}
		if r.Prefix != was {
			if err := prefixFree(tx, r.Prefix); err != nil {
				return err
			}
		}
		return tx.Rates.Put(r)
	})
}

// destroyRate answers POST /api/call_rates/{id}/destroy.
func (a *API) destroyRate(c *fiber.Ctx, s *session) error {
	err := a.o.DB.Update(s.context(c), func(tx *storage.Tx) error {
		r, err := rateOf(c, tx)
		if err != nil {
			return err
		}
		return tx.Rates.Delete(uint64(r.ID))
	})
	if err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// exportRates answers GET /api/call_rates/export.
func (a *API) exportRates(c *fiber.Ctx, _ *session) error {
	x := &rateExport{db: a.o.DB, ctx: context.WithoutCancel(c.UserContext())}
	if err := x.begin(); err != nil { // a store that does not answer is told by the status
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="call_rates.csv"`)
	return c.SendStream(x)
}

// exportPage is how many rates an export reads in one transaction: one held through a slow download
// would keep the store from reusing pages.
const exportPage = 1000

// rateExport is the file of all call rates, made as it is read. An error ends the download without
// its last chunk, so that a cut file is not taken for a whole one.
type rateExport struct {
	db   *storage.DB
	ctx  context.Context
	next rating.RateID
	done bool
	buf  bytes.Buffer
}

// begin writes the header and the first page.
func (x *rateExport) begin() error {
	w := csv.NewWriter(&x.buf)
	names := make([]string, len(rateFields))
	for i := range rateFields {
		names[i] = rateFields[i].name
	}
	if err := w.Write(names); err != nil {
		return err
	}
	w.Flush()
	return x.more()
}

// Read hands out what was made, and makes the next page when that is used up.
func (x *rateExport) Read(p []byte) (int, error) {
	for x.buf.Len() == 0 {
		if x.done {
			return 0, io.EOF
		}
		if err := x.more(); err != nil {
			return 0, err
		}
	}
	return x.buf.Read(p)
}

// more appends a page.
func (x *rateExport) more() error {
	w := csv.NewWriter(&x.buf)
	err := x.db.View(x.ctx, func(tx *storage.Tx) error {
		scan, err := tx.RatesByNumber(rating.DefaultDeck, x.next)
		if err != nil {
			return err
		}
		var r rating.Rate
		row := make([]string, len(rateFields))
		for range exportPage {
			if !scan.Next() {
				x.done = true
				return scan.Err()
			}
			if err := scan.Rate(&r); err != nil {
				return err
			}
			for i := range rateFields {
				row[i] = rateFields[i].value(&r).plain(rateFields[i].kind)
			}
			if err := w.Write(row); err != nil {
				return err
			}
			x.next = r.ID + 1
		}
		return nil
	})
	w.Flush()
	return err
}

// sendJSON answers 200 with JSON that is already written.
func sendJSON(c *fiber.Ctx, b []byte) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(b)
}
