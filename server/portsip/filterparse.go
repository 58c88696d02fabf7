package portsip

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"billd/rating"
)

// parseFilter reads a filter over columns; nil when it is blank. Fails with Invalid, field filter.
//
//	expr  = and { "or" and }            and = not { "and" not }        not = [ "not" ] prim
//	prim  = "(" expr ")" | func | field op literal
//	func  = ("startswith"|"endswith"|"contains") "(" field "," string ")"
func parseFilter[T any](s string, columns []column[T]) (*expr[T], error) {
	if len(s) > maxFilterBytes {
		return nil, rating.Broken("filter", "maxLength", strconv.Itoa(maxFilterBytes), "filter: %d bytes, want at most %d", len(s), maxFilterBytes)
	}
	if !utf8.ValidString(s) {
		return nil, rating.Broken("filter", "format", "", "filter: want UTF-8 text")
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	p := &filterParser[T]{rest: s, whole: len(s), columns: columns}
	p.next()
	e := p.expr()
	if p.err == nil && p.tok != "" {
		p.fail("want and, or or the end, got %s", p.shown())
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

// filterParser stands on one token; tok is "" at the end and once err is set.
type filterParser[T any] struct {
	rest    string
	whole   int
	tok     string // as written
	str     bool   // tok is a string literal
	depth   int
	columns []column[T]
	err     error
}

func (p *filterParser[T]) fail(format string, args ...any) {
	if p.err != nil {
		return
	}
	e := rating.Broken("filter", "format", "", format, args...)
	e.Msg = "filter: near character " + strconv.Itoa(p.whole-len(p.rest)-len(p.tok)+1) + ": " + e.Msg
	p.err, p.tok, p.rest = e, "", ""
}

// shown returns the token as a message shows it.
func (p *filterParser[T]) shown() string {
	const most = 40
	switch {
	case p.tok == "":
		return "the end"
	case utf8.RuneCountInString(p.tok) > most:
		return strconv.Quote(string([]rune(p.tok)[:most]) + "…")
	}
	return strconv.Quote(p.tok)
}

// next moves to the next token.
func (p *filterParser[T]) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	p.tok, p.str = "", false
	if p.rest == "" {
		return
	}
	n := 0
	switch c := p.rest[0]; {
	case c == '(' || c == ')' || c == ',':
		n = 1
	case c == '\'':
		if n = stringEnd(p.rest); n == 0 {
			p.fail("a string has no closing quote")
			return
		}
		p.str = true
	default:
		for n < len(p.rest) && isWord(p.rest[n]) {
			n++
		}
		if n == 0 {
			r, _ := utf8.DecodeRuneInString(p.rest)
			p.fail("unexpected %q", r)
			return
		}
	}
	p.tok, p.rest = p.rest[:n], p.rest[n:]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' || c == '.'
}

// stringEnd returns the length of the string literal that s begins with, 0 if it has no end. A quote
// inside is written twice.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i++
			continue
		}
		return i + 1
	}
	return 0
}

// take moves on if the token is the word and reports whether it was.
func (p *filterParser[T]) take(word string) bool {
	if p.str || p.tok != word {
		return false
	}
	p.next()
	return true
}

func (p *filterParser[T]) want(word string) {
	if !p.take(word) {
		p.fail("want %q, got %s", word, p.shown())
	}
}

func (p *filterParser[T]) expr() *expr[T] { return p.joined(anyOf, "or", p.and) }

func (p *filterParser[T]) and() *expr[T] { return p.joined(all, "and", p.not) }

// joined reads part { word part }.
func (p *filterParser[T]) joined(f form, word string, part func() *expr[T]) *expr[T] {
	first := part()
	if p.str || p.tok != word {
		return first
	}
	e := &expr[T]{form: f, parts: []*expr[T]{first}}
	for p.take(word) {
		e.parts = append(e.parts, part())
	}
	return e
}

func (p *filterParser[T]) not() *expr[T] {
	if !p.take("not") {
		return p.prim()
	}
	return &expr[T]{form: not, parts: []*expr[T]{p.prim()}}
}

func (p *filterParser[T]) prim() *expr[T] {
	if p.take("(") {
		if p.depth++; p.depth > maxFilterDepth {
			p.fail("more than %d open parentheses", maxFilterDepth)
			return nil
		}
		e := p.expr()
		p.want(")")
		p.depth--
		return e
	}
	if op, ok := functions[p.tok]; ok && !p.str {
		return p.function(op)
	}
	e := &expr[T]{col: p.column()}
	if p.err != nil {
		return nil
	}
	op, ok := operators[p.tok]
	if !ok || p.str {
		p.fail("want eq, ne, gt, ge, lt or le, got %s", p.shown())
		return nil
	}
	e.op = op
	p.next()
	e.lit = p.literal(e.col.kind)
	return e
}

func (p *filterParser[T]) function(op operator) *expr[T] {
	p.next()
	p.want("(")
	e := &expr[T]{op: op, col: p.column()}
	p.want(",")
	if p.err != nil {
		return nil
	}
	if e.col.kind != text || !p.str {
		p.fail("want a text field and a string, got %s and %s", e.col.name, p.shown())
		return nil
	}
	e.lit = p.literal(text)
	p.want(")")
	return e
}

func (p *filterParser[T]) column() *column[T] {
	if p.err != nil {
		return nil
	}
	if !p.str {
		for i := range p.columns {
			if p.columns[i].name == p.tok {
				p.next()
				return &p.columns[i]
			}
		}
	}
	p.fail("want a field, got %s", p.shown())
	return nil
}

// literal reads a value that a column of kind k can be compared with.
func (p *filterParser[T]) literal(k kind) (l literal) {
	tok, str := p.tok, p.str
	if !str && tok == "null" {
		p.next()
		l.null = true
		return l
	}
	ok := false
	switch k {
	case text:
		if ok = str; ok {
			l.text = unquote(tok)
		}
	case instant:
		if str {
			t, err := rating.ParseTime(unquote(tok))
			l.n, ok = t.UnixMicro(), err == nil
		}
	default:
		if !str {
			l, ok = numberLiteral(tok)
		}
	}
	if !ok {
		p.fail("want %s, got %s", [...]string{"a string", "a number", "a number", "a time in quotes"}[k], p.shown())
		return l
	}
	p.next()
	return l
}

func unquote(tok string) string { return strings.ReplaceAll(tok[1:len(tok)-1], "''", "'") }

// numberLiteral reads a bare number exactly; one beyond all values stands beyond them.
func numberLiteral(s string) (l literal, ok bool) {
	d, err := rating.ParseDecimal(s)
	if err != nil {
		return l, false
	}
	digits, decimals, _ := strings.Cut(string(d), ".")
	negative := strings.HasPrefix(digits, "-")
	const places = 5
	kept := (decimals + "00000")[:places]
	cut := len(decimals) > places && strings.Trim(decimals[places:], "0") != ""
	n, err := strconv.ParseInt(digits+kept, 10, 64)
	switch {
	case err != nil && negative:
		n, cut = math.MinInt64, false
	case err != nil:
		n, cut = math.MaxInt64, true
	case negative && cut:
		n-- // down, not towards zero
	}
	return literal{value{n: n}, cut}, true
}
