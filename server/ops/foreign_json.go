package ops

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"billd/rating"
)

// Bounds of a JSON price list.
const (
	maxJSONRecord = 1 << 20 // bytes of one rate
	jsonSample    = 400     // rates whose members become the columns
	maxMembers    = 200     // columns
)

// boundedJSON is a decoder of records that fails, rather than take a record of any length into memory.
type boundedJSON struct {
	*json.Decoder
	in   io.Reader
	read int64
}

func newBoundedJSON(in io.Reader) *boundedJSON {
	b := &boundedJSON{in: in}
	b.Decoder = json.NewDecoder(b)
	return b
}

// errLongRecord is what a record beyond maxJSONRecord fails with.
var errLongRecord = fmt.Errorf("longer than %d bytes", maxJSONRecord)

// Read reads on behalf of the decoder.
func (b *boundedJSON) Read(p []byte) (int, error) {
	if b.Decoder != nil && b.read-b.InputOffset() > maxJSONRecord {
		return 0, errLongRecord
	}
	n, err := b.in.Read(p[:min(len(p), 64<<10)])
	b.read += int64(n)
	return n, err
}

// isOwnJSON says that a JSON document is billd's own export: its first rate says so near its beginning.
func isOwnJSON(in *bufio.Reader) bool {
	start, _ := in.Peek(512)
	return strings.Contains(string(start), `"format":"billd/`) || strings.Contains(string(start), `"format": "billd/`)
}

// csvFromForeign reads a JSON document of rates as somebody else keeps them: an array of objects, such an
// array under "data", JSON:API resources, or objects under their names, as Kazoo's documents are. Record n
// is line n + 1; its members are the columns. Close it.
func csvFromForeign(in io.Reader) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(transcribeForeign(in, w)) }() // ends when the document does, or r is closed
	return r
}

func transcribeForeign(in io.Reader, w io.Writer) error {
	f := &foreignRates{d: newBoundedJSON(in), out: csv.NewWriter(w)}
	if err := f.document(); err != nil {
		if _, is := errors.AsType[*rating.Error](err); is {
			return err
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the document ends too early")
		}
		return brokenRecord(f.n+1, err)
	}
	if err := f.begin(); err != nil {
		return err
	}
	f.out.Flush()
	return f.out.Error()
}

// foreignRates turns records into lines. The first ones wait until it is known which members there are.
type foreignRates struct {
	d       *boundedJSON
	out     *csv.Writer
	n       int
	columns []string
	waiting []map[string]string
	begun   bool
}

// document reads the whole of it.
func (f *foreignRates) document() error {
	t, err := f.d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return f.array()
	case t != json.Delim('{'):
		return errors.New("want an object or an array of objects")
	}
	for f.d.More() {
		name, err := f.d.Token()
		if err != nil {
			return err
		}
		if name == "data" {
			if done, err := f.data(); done || err != nil {
				return err
			}
			continue
		}
		if err := f.record(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	_, err = f.d.Token()
	return err
}

// data reads the member of that name: the rates, or one more object among others.
func (f *foreignRates) data() (done bool, err error) {
	t, err := f.d.Token()
	switch {
	case err != nil:
		return false, err
	case t == json.Delim('['):
		return true, f.array()
	case t == json.Delim('{'):
		return false, errors.New("data is an object: want an array of rates")
	}
	return false, nil
}

func (f *foreignRates) array() error {
	for f.d.More() {
		if err := f.record(""); err != nil {
			return err
		}
	}
	_, err := f.d.Token()
	return err
}

// record reads one rate; name is what it goes by in the document. What is no object, as a stray _id, is none.
func (f *foreignRates) record(name string) error {
	var raw json.RawMessage
	if err := f.d.Decode(&raw); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		if name != "" {
			return nil
		}
		return errors.New("want an object")
	}
	f.n++
	cells := map[string]string{}
	flatten(members, cells)
	if inner := members["attributes"]; len(inner) > 0 && inner[0] == '{' {
		var more map[string]json.RawMessage
		if err := json.Unmarshal(inner, &more); err != nil {
			return err
		}
		flatten(more, cells)
	}
	if name != "" && cells["rate_name"] == "" && cells["name"] == "" {
		cells["rate_name"] = name
	}
	if f.begun {
		return f.write(cells)
	}
	if f.waiting = append(f.waiting, cells); len(f.waiting) == jsonSample {
		return f.begin()
	}
	return nil
}

// flatten takes the members that fit in a cell: a list of words in one, what stands for nothing and what
// is an object not at all.
func flatten(members map[string]json.RawMessage, cells map[string]string) {
	for name, raw := range members {
		var list []string
		switch {
		case raw[0] == '{' || string(raw) == "null":
		case raw[0] == '[':
			if json.Unmarshal(raw, &list) == nil {
				cells[name] = listCell(name, list)
			}
		case raw[0] == '"':
			var s string
			if json.Unmarshal(raw, &s) == nil {
				cells[name] = s
			}
		default:
			cells[name] = string(raw)
		}
	}
}

// listCell joins a list. Both directions are one word, as the columns of rates have it.
func listCell(name string, list []string) string {
	if name == "direction" && len(list) > 1 {
		return "both"
	}
	return strings.Join(list, " ")
}

// begin writes the header and what waited for it.
func (f *foreignRates) begin() error {
	if f.begun {
		return nil
	}
	f.begun = true
	seen := map[string]bool{}
	for _, cells := range f.waiting {
		for name := range cells {
			seen[name] = true
		}
	}
	for name := range seen {
		f.columns = append(f.columns, name)
	}
	slices.Sort(f.columns)
	f.columns = f.columns[:min(len(f.columns), maxMembers)]
	if len(f.columns) == 0 {
		return rating.Errorf(rating.Invalid, "file", "the JSON document has no rates")
	}
	if err := f.out.Write(f.columns); err != nil {
		return err
	}
	for _, cells := range f.waiting {
		if err := f.write(cells); err != nil {
			return err
		}
	}
	f.waiting = nil
	return nil
}

func (f *foreignRates) write(cells map[string]string) error {
	line := make([]string, len(f.columns))
	for i, name := range f.columns {
		line[i] = cells[name]
	}
	return f.out.Write(line)
}
