package kazoo

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"billd/rating"
	"billd/storage"
)

const (
	// maxUploadRows bounds one upload, whose rows are written in one transaction: measured, a second and
	// a half for 100,000 rows. Larger lists go in by billd import-rates, beside the charging of calls.
	maxUploadRows = 200_000
)

// uploadRates takes a CSV of rates as 4.3 did: no header, columns by their number, rows that begin
// with no number passed over.
func uploadRates(x *exchange) (*answer, error) {
	name, err := x.deckAsked()
	if err != nil {
		return nil, err
	}
	noFile := invalid("file", "required", "no file to process")
	if !x.isUpload() {
		return nil, noFile
	}
	raw, _, err := x.file()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, noFile
	}
	rows, err := readRateSheet(raw)
	if err != nil {
		return nil, err
	}
	err = x.update(func(tx *storage.Tx) error { return putSheet(tx, name, rows) }) // all of them or none
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusAccepted, data: fmt.Sprintf("%d rates were stored", len(rows))}, nil
}

// filePart returns the first file of a form and its name.
func filePart(raw []byte, boundary string) ([]byte, string, error) {
	bad := invalid("file", "invalid", "the form cannot be read")
	if boundary == "" {
		return nil, "", bad
	}
	r := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return nil, "", nil
		}
		if err != nil {
			return nil, "", bad
		}
		if part.FileName() == "" {
			continue
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, "", bad
		}
		return b, part.FileName(), nil
	}
}

// sheetRow is a row of an upload.
type sheetRow struct {
	prefix, iso, description   string
	internalFee, fee           rating.Money
	internal, price            rating.Price
	increment, minimum, weight int64
	inbound                    bool
	direction                  []any
}

// readRateSheet reads an upload. Fails with 400 when a line cannot be read, naming it.
func readRateSheet(raw []byte) ([]sheetRow, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord, r.LazyQuotes = -1, true, true, true
	var rows []sheetRow
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			var at *csv.ParseError
			line := 0
			if errors.As(err, &at) {
				line = at.Line
			}
			return nil, invalid("file", "invalid", fmt.Sprintf("line %d is not CSV", line))
		}
		line, _ := r.FieldPos(0)
		row, ok, err := readSheetRow(cells)
		if err != nil {
			return nil, invalid("file", "invalid", fmt.Sprintf("line %d: %s", line, err))
		}
		if !ok {
			continue
		}
		if rows = append(rows, row); len(rows) > maxUploadRows {
			return nil, invalid("file", "maximum", "too many rows", "target", maxUploadRows)
		}
	}
}

// readSheetRow reads a row by the number of its columns; ok is false for one that is passed over.
// Source: cb_rates, csv_to_rate.
func readSheetRow(cells []string) (row sheetRow, ok bool, err error) {
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if len(cells) < 4 {
		return row, false, nil
	}
	row.prefix = cleanPrefix(cells[0])
	if row.prefix == "" {
		return row, false, nil
	}
	row.prefix = strings.Clone(row.prefix)
	row.iso, row.description = strings.ToUpper(strings.Clone(cells[1])), strings.Clone(cells[2])
	row.increment, row.minimum = 60, 60
	if len(row.iso) > 8 || len(row.description) > 1024 {
		return row, false, fmt.Errorf("country code or description is too long")
	}
	price := func(s string) (p rating.Price) {
		if p, err2 := rating.ParsePrice(s); err2 == nil && p >= 0 {
			return p
		}
		err = errors.Join(err, fmt.Errorf("%q is no price", clip(s)))
		return 0
	}
	fee := func(s string) (m rating.Money) {
		if m, err2 := rating.ParseMoney(s); err2 == nil && m >= 0 {
			return m
		}
		err = errors.Join(err, fmt.Errorf("%q is no amount", clip(s)))
		return 0
	}
	switch len(cells) {
	case 4:
		row.price = price(cells[3])
		row.internal = row.price
	case 5:
		row.internal, row.price = price(cells[3]), price(cells[4])
	case 6:
		row.fee, row.internal, row.price = fee(cells[3]), price(cells[4]), price(cells[5])
	default:
		row.internalFee, row.fee, row.internal, row.price = fee(cells[3]), fee(cells[4]), price(cells[5]), price(cells[6])
		row.rest(cells[7:])
	}
	row.weight = autoWeight(row.prefix, row.internal)
	return row, true, err
}

// rest reads the columns that a long row may have: routes, increment, minimum, direction. The routes
// are made of the prefix anyhow, as in Kazoo.
func (r *sheetRow) rest(cells []string) {
	seconds := func(i int) int64 {
		if i >= len(cells) {
			return 60
		}
		n, err := strconv.ParseInt(cells[i], 10, 32)
		if err != nil {
			return 60
		}
		return max(n, 10)
	}
	r.increment, r.minimum = seconds(1), seconds(2)
	if len(cells) > 3 && cells[3] != "" {
		for _, word := range strings.Split(cells[3], ";") {
			if word = strings.TrimSpace(word); word == "inbound" || word == "outbound" {
				r.direction = append(r.direction, strings.Clone(word))
			}
		}
		r.inbound = len(r.direction) == 1 && r.direction[0] == "inbound"
	}
}

// putSheet writes rows to a deck; one whose id is there changes that rate field by field.
func putSheet(tx *storage.Tx, deck string, rows []sheetRow) error {
	puts := newRatePuts(tx)
	for _, row := range rows {
		id := firstOf(row.iso, "XX") + "-" + row.prefix
		r, err := puts.rate(deck, id)
		if err != nil {
			return err
		}
		if r == nil {
			r = &rating.Rate{Prefix: row.prefix, KazooID: id}
		}
		if err := row.into(r); err != nil {
			return err
		}
		puts.add(puts.deck(deck), r)
	}
	return puts.write(fmt.Sprintf("upload of %d rates", len(rows)))
}

// into writes what a row says into a rate.
func (s *sheetRow) into(r *rating.Rate) (err error) {
	r.Name, r.Extra.ISO, r.Extra.Description = firstOf(s.iso, "XX")+"-"+s.prefix, s.iso, s.description
	r.Terms.ConnectFee, r.Weight = s.fee, uint8(s.weight)
	r.Terms.First = rating.Step{Seconds: uint32(s.minimum), Price: s.price}
	r.Terms.Next = rating.Step{Seconds: uint32(s.increment), Price: s.price}
	r.Direction = rating.Outbound
	if s.inbound {
		r.Direction = rating.Inbound
	}
	doc := readDocument(r.Extra.Doc)
	doc["carrier"] = "default"
	doc["internal_rate_cost"], doc["internal_rate_surcharge"] = json.Number(s.internal.Number()), json.Number(s.internalFee.Number())
	doc["routes"] = []any{`^\+` + s.prefix + `(\d*)$`}
	if s.direction != nil {
		doc["direction"] = s.direction
	}
	r.Extra.Doc, err = storeDocument(doc)
	return err
}
