package cdrformat

import (
	"slices"
	"strings"

	"billd/rating"
)

// Format is how a file writes its records.
type Format uint8

// The formats. Auto is told by Detect.
const (
	Auto Format = iota
	CSV
	JSON
	FreeSWITCHJSON
	FreeSWITCHXML
	FreeSWITCHCSV
	FreeSWITCHCSVAsterisk
	FreeSWITCHCSVSQL
	FreeSWITCHCSVOpenCDRRate
	AsteriskCSV
	AsteriskCSVUniqueID
	AsteriskCSVUserField
	AsteriskCustom
	AsteriskTable
	AsteriskJSON
	Kamailio
	OpenSIPS
)

// The switches: what the calls of a format come from when nobody says otherwise. A call that a switch
// posted and the same call in the switch's file are then one call.
const (
	sourceImport     = "import"
	sourceFreeSWITCH = "freeswitch"
	sourceAsterisk   = "asterisk"
	sourceKamailio   = "kamailio"
	sourceOpenSIPS   = "opensips"
)

// formats names every format: on the command line, by its switch, and for a reader.
var formats = [...]struct{ name, source, what string }{
	Auto:                     {"auto", sourceImport, "told by the file's beginning, refused where it could be two"},
	CSV:                      {"csv", sourceImport, "a header with billd's columns, or any with --map or --columns"},
	JSON:                     {"json", sourceImport, "objects one a line or in an array, by the same names"},
	FreeSWITCHJSON:           {"freeswitch-json", sourceFreeSWITCH, "mod_json_cdr, mod_format_cdr: posts and failure files, also encoded"},
	FreeSWITCHXML:            {"freeswitch-xml", sourceFreeSWITCH, "mod_xml_cdr, mod_format_cdr: <cdr>, one after another"},
	FreeSWITCHCSV:            {"freeswitch-csv", sourceFreeSWITCH, "mod_cdr_csv, template example: 15 columns"},
	FreeSWITCHCSVAsterisk:    {"freeswitch-csv-asterisk", sourceFreeSWITCH, "mod_cdr_csv, template asterisk or none: 18 columns"},
	FreeSWITCHCSVSQL:         {"freeswitch-csv-sql", sourceFreeSWITCH, "mod_cdr_csv, template sql: INSERT statements"},
	FreeSWITCHCSVOpenCDRRate: {"freeswitch-csv-opencdrrate", sourceFreeSWITCH, "mod_cdr_csv, template opencdrrate: 13 columns"},
	AsteriskCSV:              {"asterisk-csv", sourceAsterisk, "Master.csv of 16, 18, 19 or 21 columns"},
	AsteriskCSVUniqueID:      {"asterisk-csv-uniqueid", sourceAsterisk, "Master.csv, loguniqueid without loguserfield: 17 or 20 columns"},
	AsteriskCSVUserField:     {"asterisk-csv-userfield", sourceAsterisk, "Master.csv, loguserfield without loguniqueid: 17 or 20 columns"},
	AsteriskCustom:           {"asterisk-custom", sourceAsterisk, "cdr_custom as shipped: 19 columns, clid first"},
	AsteriskTable:            {"asterisk-table", sourceAsterisk, "the cdr table with its header, or with --columns"},
	AsteriskJSON:             {"asterisk-json", sourceAsterisk, "cdr_custom or cdr_syslog writing JSON lines"},
	Kamailio:                 {"kamailio", sourceKamailio, "acc, acc_json, acc_cdrs: tables with their header, or JSON"},
	OpenSIPS:                 {"opensips", sourceOpenSIPS, "E_ACC_CDR, E_ACC_EVENT, E_ACC_MISSED_EVENT, or the acc table"},
}

// FormatName is a format as a user names it.
type FormatName struct {
	Name string // of --format
	What string // it reads, in a line
}

// Formats lists every format there is, auto first.
func Formats() []FormatName {
	names := make([]FormatName, len(formats))
	for i, f := range formats {
		names[i] = FormatName{f.name, f.what}
	}
	return names
}

// String returns the format's name.
func (f Format) String() string { return formats[f].name }

// Source returns what calls of the format come from when neither they nor Options say it.
func (f Format) Source() string { return formats[f].source }

// ParseFormat finds a format by its name; "" is auto. Fails with Invalid, listing the names.
func ParseFormat(s string) (Format, error) {
	if s == "" {
		return Auto, nil
	}
	var names []string
	for i, f := range formats {
		if f.name == s {
			return Format(i), nil
		}
		names = append(names, f.name)
	}
	return Auto, rating.Broken("format", "enum", "", "format %.40q: want %s", s, strings.Join(names, ", "))
}

// Legs says which legs of FreeSWITCH's calls are charged. A call that the dialplan bridges has two.
type Legs uint8

// The legs, named as mod_cdr_csv names them. A is the leg that nobody called: each inbound one, and an
// outbound one that no other leg began.
const (
	LegsA Legs = iota
	LegsB
	LegsBoth
)

// ParseLegs reads a, b or ab; "" is a.
func ParseLegs(s string) (Legs, error) {
	if s == "" {
		return LegsA, nil
	}
	if i := slices.Index([]string{"a", "b", "ab"}, s); i >= 0 {
		return Legs(i), nil
	}
	return LegsA, rating.Broken("legs", "enum", "", "legs %.40q: want a, b or ab", s)
}

// DateOrder says how dates are written that do not begin with the year.
type DateOrder uint8

// The orders. Without one such a date is refused: 1/9/2017 is two days.
const (
	YearFirst DateOrder = iota
	DayFirst
	MonthFirst
)

// ParseDateOrder reads ymd, dmy or mdy; "" is ymd.
func ParseDateOrder(s string) (DateOrder, error) {
	if s == "" {
		return YearFirst, nil
	}
	if i := slices.Index([]string{"ymd", "dmy", "mdy"}, s); i >= 0 {
		return DateOrder(i), nil
	}
	return YearFirst, rating.Broken("dates", "enum", "", "dates %.40q: want ymd, dmy or mdy", s)
}
