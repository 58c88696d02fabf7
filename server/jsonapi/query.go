package jsonapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a query. Rows per page are Yeti's maximum_page_size.
const (
	defaultPageSize = 50
	maxPageSize     = 1000
	maxPageNumber   = 1 << 40
	maxParams       = 100
	maxQueryBytes   = 24 << 10
	maxListed       = 2000 // values of one filter
	maxIncludes     = 100  // segments of all include paths together
	maxIncludeDepth = 8
	maxSortKeys     = 16
)

// params is a query string taken apart, before any resource looks at it.
type params struct {
	fields  []pair // type → comma list
	filters []pair // name as sent → value
	include string
	sort    string
	number  int64
	size    int64
	page    []pair // as sent, for the links
}

type pair struct{ name, value string }

// parseParams reads a raw query string. Parameters of other names are left out.
func parseParams(raw string) (*params, error) {
	p := &params{number: 1, size: defaultPageSize}
	if len(raw) > maxQueryBytes {
		return nil, BadRequest("the query is longer than " + strconv.Itoa(maxQueryBytes) + " bytes")
	}
	for n := 0; raw != ""; n++ {
		if n == maxParams {
			return nil, BadRequest("the query has more than " + strconv.Itoa(maxParams) + " parameters")
		}
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		rawKey, rawValue, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return nil, BadRequest("invalid %-encoding in the query")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, BadRequest("invalid %-encoding in the query")
		}
		if err := p.take(key, strings.ToValidUTF8(value, "\uFFFD")); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// take keeps one parameter; of two with the same name the last counts.
func (p *params) take(key, value string) error {
	name, member, bracketed := strings.Cut(key, "[")
	if bracketed {
		var closed bool
		if member, closed = strings.CutSuffix(member, "]"); !closed {
			bracketed, member = false, ""
		}
	}
	switch name {
	case "filter":
		if !bracketed {
			return problem(400, "120", "Invalid filters syntax", clip(value)+" is not a valid syntax for filtering.")
		}
		if list, ok := strings.CutSuffix(member, "]["); ok { // filter[a][]=1&filter[a][]=2
			return p.add(list, value)
		}
		if strings.ContainsAny(member, "[]") {
			return problem(400, "120", "Invalid filters syntax", clip(key)+" is not a valid syntax for filtering.")
		}
		p.filters = set(p.filters, member, value)
	case "fields":
		if !bracketed {
			return problem(400, "119", "Invalid field format", "Fields must specify a type.")
		}
		p.fields = set(p.fields, member, value)
	case "include":
		p.include = value
	case "sort":
		p.sort = value
	case "page":
		switch {
		case !bracketed:
			p.number, p.page = whole(value), set(p.page, "number", value)
		case member == "number":
			p.number, p.page = whole(value), set(p.page, "number", value)
		case member == "size":
			p.size, p.page = whole(value), set(p.page, "size", value)
		}
	}
	return nil
}

// add appends one more value to a filter that is sent as an array.
func (p *params) add(name, value string) error {
	if strings.ContainsAny(name, "[]") {
		return problem(400, "120", "Invalid filters syntax", clip(name)+" is not a valid syntax for filtering.")
	}
	for i := range p.filters {
		if p.filters[i].name == name {
			p.filters[i].value += "," + value
			return nil
		}
	}
	p.filters = append(p.filters, pair{name, value})
	return nil
}

func set(ps []pair, name, value string) []pair {
	for i := range ps {
		if ps[i].name == name {
			ps[i].value = value
			return ps
		}
	}
	return append(ps, pair{name, value})
}

// whole reads a page parameter: what is not a number counts as 0.
func whole(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// checkPage refuses pages that do not exist.
func (p *params) checkPage() error {
	switch {
	case p.number < 1 || p.number > maxPageNumber:
		return badPage(p.page, "number")
	case p.size < 1:
		return badPage(p.page, "size")
	case p.size > maxPageSize:
		return problem(400, "118", "Invalid page value", "size exceeds maximum page size of "+strconv.Itoa(maxPageSize)+".")
	}
	return nil
}

func badPage(sent []pair, name string) error {
	value := ""
	for _, p := range sent {
		if p.name == name {
			value = strconv.FormatInt(whole(p.value), 10)
		}
	}
	return problem(400, "118", "Invalid page value", value+" is not a valid value for "+name+" page parameter.")
}

// encode writes the whole query for page number, keys sorted.
func (p *params) encode(number int64) string {
	var parts []string
	add := func(key, value string) { parts = append(parts, url.QueryEscape(key)+"="+url.QueryEscape(value)) }
	for _, f := range p.fields {
		add("fields["+f.name+"]", f.value)
	}
	for _, f := range p.filters {
		add("filter["+f.name+"]", f.value)
	}
	if p.include != "" {
		add("include", p.include)
	}
	add("page[number]", strconv.FormatInt(number, 10))
	add("page[size]", strconv.FormatInt(p.size, 10))
	if p.sort != "" {
		add("sort", p.sort)
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// listed splits a value at its commas; nothing is no values.
func listed(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }
