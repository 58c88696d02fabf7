package deckcsv

import "bytes"

// quoting is how the quotes of a record came out.
type quoting uint8

const (
	closed quoting = iota // every quote has its partner
	lazy                  // a quote stands where none belongs and was taken as text
	open                  // the last cell's quote is still open
)

// split appends the cells of a record that holds no quote.
func split(rec []byte, delim byte, cells [][]byte) [][]byte {
	for {
		i := bytes.IndexByte(rec, delim)
		if i < 0 {
			return append(cells, rec)
		}
		cells = append(cells, rec[:i])
		rec = rec[i+1:]
	}
}

// splitQuoted appends the cells of a record, taking the quotes away. A quote inside a bare cell, or
// text behind a closing quote, is kept as it stands.
func splitQuoted(rec []byte, delim byte, cells [][]byte) ([][]byte, quoting) {
	state := closed
	for {
		var cell []byte
		var q quoting
		cell, rec, q = cutCell(rec, delim)
		cells = append(cells, cell)
		state = max(state, q)
		if rec == nil {
			return cells, state
		}
	}
}

// cutCell returns the first cell of rec and what is behind its delimiter, nil when that was the last.
func cutCell(rec []byte, delim byte) (cell, rest []byte, q quoting) {
	body := bytes.TrimLeft(rec, " ")
	if len(body) == 0 || body[0] != '"' {
		cell, rest = cutBare(rec, delim)
		if bytes.IndexByte(cell, '"') >= 0 {
			return cell, rest, lazy
		}
		return cell, rest, closed
	}
	body = body[1:]
	var joined []byte // only when quotes were doubled
	for {
		i := bytes.IndexByte(body, '"')
		if i < 0 {
			return rec, nil, open
		}
		if i+1 < len(body) && body[i+1] == '"' {
			joined = append(joined, body[:i+1]...)
			body = body[i+2:]
			continue
		}
		after := bytes.TrimLeft(body[i+1:], " ")
		if len(after) > 0 && after[0] != delim {
			cell, rest = cutBare(rec, delim)
			return cell, rest, lazy
		}
		cell = body[:i]
		if joined != nil {
			cell = append(joined, cell...)
		}
		if len(after) == 0 {
			return cell, nil, closed
		}
		return cell, after[1:], closed
	}
}

func cutBare(rec []byte, delim byte) (cell, rest []byte) {
	if i := bytes.IndexByte(rec, delim); i >= 0 {
		return rec[:i], rec[i+1:]
	}
	return rec, nil
}

// record reads one record, over several lines where a quoted cell holds line ends.
// The bool is false when a quote of its first line is never closed, which rejects that line alone.
func (l *lines) record(delim byte, cells [][]byte) ([][]byte, bool, error) {
	rec, err := l.next()
	if err != nil {
		return nil, false, err
	}
	if bytes.IndexByte(rec, '"') < 0 {
		return split(rec, delim, cells[:0]), true, nil
	}
	cells, q := splitQuoted(rec, delim, cells[:0])
	if q != open {
		return cells, true, nil
	}
	first, line := l.pos-l.rec, l.line
	quotes := 0 // behind the first line; an odd number is what closes the open one, doubled ones being two
	for range l.maxLines {
		whole, added, err := l.extend()
		if err == errLineTooLong || isEOF(err) {
			break
		}
		if err != nil {
			return nil, false, err
		}
		if quotes += bytes.Count(added, quote); quotes%2 == 0 {
			continue
		}
		if cells, q = splitQuoted(whole, delim, cells[:0]); q == closed {
			return cells, true, nil
		}
		break
	}
	l.rewind(first, line)
	return cells[:0], false, nil
}

var quote = []byte{'"'}
