package ops

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"billd/rating"
)

// exportedRate is one rate of a JSON export, in the names of the CSV export's columns.
type exportedRate struct {
	Format       string            `json:"format"`
	Number       uint64            `json:"number"`
	UUID         string            `json:"uuid"`
	Prefix       string            `json:"prefix"`
	Name         string            `json:"name"`
	Price        rating.Price      `json:"price"`
	NextPrice    rating.Price      `json:"next_price"`
	ConnectFee   rating.Money      `json:"connect_fee"`
	FirstSeconds uint32            `json:"first_seconds"`
	NextSeconds  uint32            `json:"next_seconds"`
	FreeSeconds  uint32            `json:"free_seconds"`
	GraceSeconds uint32            `json:"grace_seconds"`
	Surcharge    rating.Fraction   `json:"surcharge"`
	MinCost      rating.Money      `json:"min_cost"`
	MaxCost      rating.Money      `json:"max_cost"`
	ValidFrom    *time.Time        `json:"valid_from"` // null: always
	ValidTill    *time.Time        `json:"valid_till"` // null: no end
	Blocked      bool              `json:"blocked"`
	Type         string            `json:"type"`
	Direction    string            `json:"direction"`
	Reverse      bool              `json:"reverse_billing"`
	Enabled      bool              `json:"enabled"`
	Weight       uint8             `json:"weight"`
	MinLength    uint8             `json:"min_length"`
	MaxLength    uint8             `json:"max_length"`
	ExternalID   *int64            `json:"external_id"`
	Country      string            `json:"country"`
	Currency     string            `json:"currency"`
	Preset       string            `json:"preset"`
	KazooID      string            `json:"kazoo_id"`
	Extra        *rating.RateExtra `json:"extra,omitempty"`
}

// exportFormat is the form of billd's own exports (R26).
const exportFormat = "billd/1"

func newExportedRate(deck *rating.Deck, r *rating.Rate, uuid rating.UUID) *exportedRate {
	e := &exportedRate{
		Format: exportFormat, Number: uint64(r.ID), UUID: uuid.String(), Prefix: r.Prefix, Name: r.Name,
		Price: r.Terms.First.Price, NextPrice: r.Terms.Next.Price, ConnectFee: r.Terms.ConnectFee,
		FirstSeconds: r.Terms.First.Seconds, NextSeconds: r.Terms.Next.Seconds, FreeSeconds: r.Terms.FreeSeconds,
		GraceSeconds: r.Terms.Grace, Surcharge: r.Terms.Surcharge, MinCost: r.Terms.MinCost, MaxCost: r.Terms.MaxCost,
		Blocked: r.Blocked, Type: r.Label.String(), Direction: r.Direction.String(), Reverse: r.Reverse, Enabled: !r.Disabled,
		Weight: r.Weight, MinLength: r.MinLen, MaxLength: r.MaxLen, ExternalID: r.External, Country: r.Extra.ISO,
		Currency: deck.Currency.String(), Preset: deck.Preset.String(), KazooID: r.KazooID,
	}
	if !r.From.IsZero() {
		e.ValidFrom = &r.From
	}
	if !r.Till.IsZero() {
		e.ValidTill = &r.Till
	}
	rest := r.Extra
	rest.ISO = ""
	if !reflect.ValueOf(rest).IsZero() {
		e.Extra = &rest
	}
	return e
}

// jsonColumns are the columns that a JSON export is transcribed to, the format first.
var jsonColumns = exportedColumns()

func exportedColumns() []string {
	t := reflect.TypeFor[exportedRate]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// csvFromJSON reads a JSON export, an array of rates or one rate after another, as the CSV export of
// the same rates: record n is line n + 1. Its reader fails as the document does. Close it.
func csvFromJSON(in *bufio.Reader) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(transcribe(in, w)) }() // ends when the document does, or r is closed
	return r
}

func transcribe(in *bufio.Reader, w io.Writer) error {
	d := newBoundedJSON(in)
	if jsonStart(in) == '[' {
		if _, err := d.Token(); err != nil {
			return brokenRecord(1, err)
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(jsonColumns); err != nil {
		return err
	}
	cells := make([]string, len(jsonColumns))
	for n := 1; d.More(); n++ {
		var record map[string]json.RawMessage
		if err := d.Decode(&record); err != nil {
			return brokenRecord(n, err)
		}
		if err := recordCells(record, cells); err != nil {
			return brokenRecord(n, err)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	if _, err := d.Token(); err != nil && err != io.EOF { // a document that is cut short
		return rating.Errorf(rating.Invalid, "file", "the JSON document ends too early")
	}
	return out.Error()
}

func brokenRecord(n int, err error) error {
	if _, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return rating.Errorf(rating.Invalid, "file", "record %d: want an object, a rate as billd exports it", n)
	}
	return rating.Errorf(rating.Invalid, "file", "record %d: %s", n, strings.TrimPrefix(err.Error(), "json: "))
}

// recordCells fills a line of the CSV export from a record. A member that no column has is refused:
// whoever wrote it meant something by it.
func recordCells(record map[string]json.RawMessage, cells []string) error {
	for name := range record {
		if !slices.Contains(jsonColumns, name) {
			return fmt.Errorf("member %q: billd exports no such", name)
		}
	}
	for i, name := range jsonColumns {
		raw := record[name]
		cells[i] = ""
		switch {
		case len(raw) == 0 || string(raw) == "null":
		case raw[0] == '"':
			if err := json.Unmarshal(raw, &cells[i]); err != nil {
				return err
			}
		default: // digits, a word, or the object of extra
			cells[i] = string(raw)
		}
	}
	return nil
}

// isJSON reports whether the input begins as a JSON document.
func isJSON(in *bufio.Reader) bool {
	c := jsonStart(in)
	return c == '{' || c == '['
}

// jsonStart returns the first character of the input, past a byte-order mark and blanks.
func jsonStart(in *bufio.Reader) byte {
	start, err := in.Peek(512)
	if len(start) == 0 && err != nil {
		return 0
	}
	if bytes.HasPrefix(start, []byte("\ufeff")) {
		in.Discard(3)
		start = start[3:]
	}
	if start = bytes.TrimLeft(start, " \t\r\n"); len(start) == 0 {
		return 0
	}
	return start[0]
}
