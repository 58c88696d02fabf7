package deckcsv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// styleColumn is a column of a form that others read, and what it says of a row.
type styleColumn struct {
	header string
	text   func(*Row) string
}

func named(extra string) func(*Row) string { return func(r *Row) string { return r.Lookup(extra) } }

func seconds(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// What several forms say alike.
func prefixOf(r *Row) string     { return r.Prefix }
func nameOf(r *Row) string       { return r.Name }
func firstPrice(r *Row) string   { return r.Terms.First.Price.String() }
func nextPrice(r *Row) string    { return r.Terms.Next.Price.String() }
func connectFee(r *Row) string   { return r.Terms.ConnectFee.String() }
func firstSeconds(r *Row) string { return seconds(r.Terms.First.Seconds) }
func nextSeconds(r *Row) string  { return seconds(r.Terms.Next.Seconds) }
func validFrom(r *Row) string    { return instant(r.From) }
func validTill(r *Row) string    { return instant(r.Till) }
func blockedOf(r *Row) string    { return strconv.FormatBool(r.Blocked) }

// noCharge is Kazoo's spelling of a grace: the longest call that is free, not the shortest that is not.
func noCharge(r *Row) string { return seconds(max(r.Terms.Grace, 1) - 1) }

// styles are the columns of each form that others read. Source: the price list of Yeti's import, the
// CSV task rates import of Kazoo, the documents of PortSIP's call rates; plain is for people.
var styles = map[Form][]styleColumn{
	FormYeti: {
		{"Prefix", prefixOf}, {"Initial rate", firstPrice}, {"Next rate", nextPrice}, {"Connect fee", connectFee},
		{"Initial interval", firstSeconds}, {"Next interval", nextSeconds}, {"Dst number min length", named("min_length")},
		{"Dst number max length", named("max_length")}, {"Enabled", named("enabled")}, {"Reject calls", blockedOf},
		{"Reverse billing", named("reverse_billing")}, {"External id", named("external_id")}, {"Valid from", validFrom}, {"Valid till", validTill},
	},
	FormKazoo: {
		{"prefix", prefixOf}, {"rate_cost", firstPrice}, {"rate_name", nameOf}, {"description", nameOf}, {"rate_surcharge", connectFee},
		{"rate_minimum", firstSeconds}, {"rate_increment", nextSeconds}, {"rate_nocharge_time", noCharge}, {"weight", named("weight")},
		{"direction", named("direction")}, {"iso_country_code", named("country")},
	},
	FormPlain: {
		{"prefix", prefixOf}, {"name", nameOf}, {"price", firstPrice}, {"next_price", nextPrice}, {"connect_fee", connectFee},
		{"first_seconds", firstSeconds}, {"next_seconds", nextSeconds}, {"free_seconds", func(r *Row) string { return seconds(r.Terms.FreeSeconds) }},
		{"grace_seconds", func(r *Row) string { return seconds(r.Terms.Grace) }}, {"postcall_surcharge", func(r *Row) string { return r.Terms.Surcharge.String() }},
		{"min_cost", func(r *Row) string { return r.Terms.MinCost.String() }}, {"max_cost", func(r *Row) string { return r.Terms.MaxCost.String() }},
		{"currency", named("currency")}, {"direction", named("direction")}, {"blocked", blockedOf}, {"valid_from", validFrom}, {"valid_till", validTill},
	},
}

// Dated says that a form tells when a rate is valid; one that does not can hold a deck as it is at one
// moment only.
func (f Form) Dated() bool { return f != FormKazoo && f != FormPortSIP }

// Unsaid returns what of a row the form has no words for, "" where it says all of it. A field that no
// charge depends on, such as a name, may be left out without being named.
func (f Form) Unsaid(r *Row) string {
	if f == FormBilld {
		return ""
	}
	t := &r.Terms
	var lost []string
	note := func(yes bool, format string, args ...any) {
		if yes {
			lost = append(lost, fmt.Sprintf(format, args...))
		}
	}
	note(f != FormPortSIP && !isDigits(r.Prefix) || len(r.Prefix) > 2 && strings.HasPrefix(r.Prefix, "00") || strings.ContainsAny(r.Prefix, "+ |,;'"), "the prefix")
	note(t.First.Price < 0 || t.Next.Price < 0 || t.ConnectFee < 0, "a negative price")
	note(f == FormKazoo && t.Next.Price != t.First.Price, "the next price %s", t.Next.Price)
	note((f == FormKazoo || f == FormYeti) && t.FreeSeconds != 0, "%d free seconds", t.FreeSeconds)
	note(f == FormYeti && t.Grace != 0, "a grace of %d s", t.Grace)
	note((f == FormKazoo || f == FormYeti) && t.Surcharge != 0, "the surcharge %s", t.Surcharge)
	note(f != FormPlain && t.MinCost != 0, "the least cost %s", t.MinCost)
	note(f != FormPlain && t.MaxCost != 0, "the greatest cost %s", t.MaxCost)
	note((f == FormKazoo || f == FormPortSIP) && r.Blocked, "that calls are blocked")
	note(f == FormPortSIP && !fiveDecimals(r), "more than 5 decimals")
	note((f == FormYeti || f == FormPortSIP) && r.Lookup("direction") == "inbound", "that it is for inbound calls")
	note(f != FormYeti && r.Lookup("reverse_billing") == "true", "that it is billed in reverse")
	note(f != FormYeti && r.Lookup("min_length")+r.Lookup("max_length") != "", "the length of numbers")
	note(f != FormYeti && r.Lookup("enabled") == "false", "that it is disabled")
	return strings.Join(lost, ", ")
}

// fiveDecimals says that what PortSIP shows of a rate is all of it.
func fiveDecimals(r *Row) bool {
	t := &r.Terms
	return t.ConnectFee.Round(5) == t.ConnectFee && t.Surcharge.Round(5) == t.Surcharge && t.First.Price.Round(5) == t.First.Price &&
		t.Next.Price.Round(5) == t.Next.Price
}
