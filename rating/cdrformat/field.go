package cdrformat

import (
	"encoding/hex"
	"strconv"
	"strings"

	"billd/rating"
)

// FormatBilld marks records of billd's own export, every one of them: a file that was sorted, cut or
// joined with another still says what it is (R26).
const FormatBilld = "billd/1"

// column is what one name in a record stands for.
type column struct {
	kind  columnKind
	field rating.CDRField // for columnField
}

type columnKind uint8

const (
	columnUnknown columnKind = iota
	columnField
	columnAccount
	columnVendor
	columnSrc
	columnDst
	columnUnrated
	columnGateway
	columnDirection
	columnExport // one of exportNames, field is its place there
)

// exportNames are what an export says of a call beside its columns, in the order in which it is written.
var exportNames = [...]string{"format", "store", "id", "origin", "status", "revision", "content"}

// The places in exportNames.
const (
	exportFormat = iota
	exportStore
	exportID
	exportOrigin
	exportStatus
	exportRevision
	exportContent
)

// columns finds what a name stands for.
var columns = func() map[string]column {
	m := map[string]column{
		"account": {kind: columnAccount}, "account_id": {kind: columnAccount},
		"vendor_account": {kind: columnVendor}, "vendor_account_id": {kind: columnVendor},
		"src": {kind: columnSrc}, "dst": {kind: columnDst}, "unrated": {kind: columnUnrated},
		"gateway": {kind: columnGateway}, "direction": {kind: columnDirection}, "ip": {columnField, rating.CDRAuthOrigIP},
	}
	for i, name := range exportNames {
		m[name] = column{columnExport, rating.CDRField(i)}
	}
	for f := range rating.CDRField(rating.NumCDRFields) {
		m[f.Name()] = column{columnField, f}
	}
	return m
}()

// row is one record while it is read: the call, and the texts of an export, which count only if the
// format says so.
type row struct {
	call   *rating.Call
	export [len(exportNames)]string
}

// set gives a column its text; "" is null.
func (r *row) set(c column, text string) error {
	switch c.kind {
	case columnField:
		return r.call.Parse(c.field, text)
	case columnAccount:
		r.call.AccountRef = text
	case columnVendor:
		r.call.VendorRef = text
	case columnSrc:
		return r.both(rating.CDRSrcPrefixRouting, rating.CDRSrcPrefixIn, text)
	case columnDst:
		return r.both(rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn, text)
	case columnUnrated:
		if text == "true" || text == "1" || text == "t" || text == "yes" {
			r.call.Status = rating.Unrated
		}
	case columnGateway:
		r.call.Gateway = clipText(text)
	case columnDirection:
		r.call.Inbound = strings.EqualFold(text, "inbound") || strings.EqualFold(text, "in")
	case columnExport:
		r.export[c.field] = text
	}
	return nil
}

// both sets the number that is rated and, where the record does not say otherwise, the number as it
// came in.
func (r *row) both(routing, in rating.CDRField, text string) error {
	if err := r.call.Parse(routing, text); err != nil || r.call.Has(in) {
		return err
	}
	return r.call.Parse(in, text)
}

// finish reads what an export says and fills in the source.
func (r *row) finish(source string) error {
	c := r.call
	if strings.HasPrefix(r.export[exportFormat], "billd/") {
		if err := r.exported(); err != nil {
			return err
		}
		return nil
	}
	if !c.Has(rating.CDRSource) {
		c.SetText(rating.CDRSource, source)
	}
	return nil
}

// exported reads what an export says of the call: it comes with its figures.
func (r *row) exported() error {
	e := &r.call.Exported
	if f := r.export[exportFormat]; f != FormatBilld {
		return rating.Errorf(rating.Unsupported, "format", "format %.40q: this billd reads %s", f, FormatBilld)
	}
	store, err := hex.DecodeString(r.export[exportStore])
	if err != nil || copy(e.Store[:], store) != len(e.Store) {
		return wrong("store", r.export[exportStore], "12 hex digits")
	}
	id, err := strconv.ParseUint(r.export[exportID], 10, 64)
	if err != nil || id == 0 {
		return wrong("id", r.export[exportID], "a CDR number")
	}
	revision, err := strconv.ParseUint(or(r.export[exportRevision], "0"), 10, 32)
	if err != nil {
		return wrong("revision", r.export[exportRevision], "a whole number")
	}
	content, err := strconv.ParseUint(or(r.export[exportContent], "0"), 16, 64)
	if err != nil {
		return wrong("content", r.export[exportContent], "16 hex digits")
	}
	switch r.export[exportOrigin] {
	case rating.Own.String():
		e.Origin = rating.Own
	case rating.History.String():
		e.Origin = rating.History
	default:
		return wrong("origin", r.export[exportOrigin], "own or history")
	}
	switch r.export[exportStatus] {
	case rating.Rated.String():
		r.call.Status = rating.Rated
	case rating.Free.String():
		r.call.Status = rating.Free
	case rating.Unrated.String():
		r.call.Status = rating.Unrated
	default:
		return wrong("status", r.export[exportStatus], "rated, free or unrated")
	}
	e.ID, e.Revision, e.Content, e.Known = rating.CDRID(id), uint32(revision), content, true
	r.call.Rated = true
	return nil
}

func wrong(name, got, want string) error {
	return rating.Broken(name, "format", "", "%s %.40q: want %s", name, got, want)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
