package yeti

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// call is a stored call: read column by column while a list looks for its page, whole once it is shown.
type call struct {
	storage.CallRow
	whole    *rating.CDR
	metadata json.RawMessage // what a request brings
	changed  bool
}

// callAttributes are in the order of the wire. Source: contract 3.18.
const callAttributes = `time-start destination-next-rate destination-fee dialpeer-next-rate dialpeer-fee internal-disconnect-code
	internal-disconnect-reason disconnect-initiator-id customer-price vendor-price duration success profit dst-prefix-in
	dst-prefix-out src-prefix-in src-prefix-out time-connect time-end sign-orig-ip sign-orig-port sign-orig-local-ip
	sign-orig-local-port sign-term-ip sign-term-port sign-term-local-ip sign-term-local-port orig-call-id term-call-id
	vendor-invoice-id customer-invoice-id local-tag destination-initial-rate dialpeer-initial-rate
	destination-initial-interval destination-next-interval dialpeer-initial-interval dialpeer-next-interval routing-attempt
	is-last-cdr lega-disconnect-code lega-disconnect-reason src-name-in src-name-out diversion-in diversion-out
	legb-disconnect-code legb-disconnect-reason dump-level-id auth-orig-ip auth-orig-port global-tag src-prefix-routing
	dst-prefix-routing routing-delay pdd rtt early-media-present lnp-database-id lrn destination-prefix dialpeer-prefix
	audio-recorded ruri-domain to-domain from-domain src-area-id dst-area-id auth-orig-transport-protocol-id
	sign-orig-transport-protocol-id sign-term-transport-protocol-id core-version yeti-version lega-user-agent legb-user-agent
	uuid pai-in ppi-in privacy-in rpid-in rpid-privacy-in pai-out ppi-out privacy-out rpid-out rpid-privacy-out
	destination-reverse-billing dialpeer-reverse-billing is-redirected customer-account-check-balance customer-external-id
	customer-auth-external-id customer-acc-vat customer-acc-external-id routing-tag-ids vendor-external-id
	vendor-acc-external-id orig-gw-external-id term-gw-external-id failed-resource-type-id failed-resource-id
	customer-price-no-vat customer-duration vendor-duration destination-rate-policy-id p-charge-info-in metadata`

var cdrs = jsonapi.Resource[call]{
	Type: "cdrs", Verbs: jsonapi.ReadVerbs | jsonapi.Update,
	Key: callID, Load: loadCall, Page: pageCalls,
	Order: "-time-start",
	Attrs: callAttrs(callAttributes),
	Rels: []jsonapi.Rel[call]{
		callRel("rateplan", "rateplans", rating.CDRRateplanID),
		callRel("dialpeer", "dialpeers", rating.CDRDialpeerID),
		callRel("pop", "pops", rating.CDRPopID, jsonapi.Absent),
		callRel("node", "nodes", rating.CDRNodeID, jsonapi.Absent),
		callRel("routing-group", "routing-groups", rating.CDRRoutingGroupID, jsonapi.Absent),
		callRel("routing-plan", "routing-plans", rating.CDRRoutingPlanID, jsonapi.Absent),
		callRel("destination", "destinations", rating.CDRDestinationID),
		callRel("customer-auth", "customers-auths", rating.CDRCustomerAuthID),
		callRel("vendor", "contractors", rating.CDRVendorID),
		callRel("customer", "contractors", rating.CDRCustomerID),
		callRel("customer-acc", "accounts", rating.CDRCustomerAccID),
		callRel("vendor-acc", "accounts", rating.CDRVendorAccID),
		callRel("orig-gw", "gateways", rating.CDROrigGwID, jsonapi.Absent),
		callRel("term-gw", "gateways", rating.CDRTermGwID, jsonapi.Absent),
		callRel("dst-country", "countries", rating.CDRDstCountryID),
		callRel("dst-network", "networks", rating.CDRDstNetworkID),
		callNetworkType("dst-network-type", rating.CDRDstNetworkID),
		callRel("src-country", "countries", rating.CDRSrcCountryID),
		callRel("src-network", "networks", rating.CDRSrcNetworkID),
		callNetworkType("src-network-type", rating.CDRSrcNetworkID),
	},
	Filters: callFilters(),
	Check:   checkMetadata,
	Save: func(r *jsonapi.Request, c *call) error {
		if !c.changed {
			return nil
		}
		return r.Tx.SetCallMetadata(c.ID(), c.metadata)
	},
	Actions: noRecordings("recording"),
}

// noRecordings is the action that fetches a call's recording. billd keeps none, so it finds the call
// and answers an empty 404.
func noRecordings(name string) []jsonapi.Action[call] {
	return []jsonapi.Action[call]{{Name: name, Serve: func(*jsonapi.Request, *fiber.Ctx, *call) error { return jsonapi.NoRoute }}}
}

func callID(c *call) string { return decimal(c.ID()) }

// loadCall reads one call whole.
func loadCall(r *jsonapi.Request, id string) (*call, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil, jsonapi.NoRecord(id)
	}
	row, err := r.Tx.CallRow(rating.CDRID(n))
	if err != nil {
		return nil, err
	}
	c := &call{CallRow: row}
	return c, decodeCalls([]*call{c})
}

// decodeCalls reads the calls of a page whole.
func decodeCalls(page []*call) error {
	for _, c := range page {
		c.whole = new(rating.CDR)
		if err := c.Decode(c.whole); err != nil {
			return err
		}
	}
	return nil
}

// number returns a column that is held as a number.
func (c *call) number(f rating.CDRField) (int64, bool) {
	if c.whole != nil {
		return c.whole.Int(f), c.whole.Has(f)
	}
	return c.Int(f)
}

// column returns a column as it is written.
func (c *call) column(f rating.CDRField) jsonapi.Value {
	if f.Kind().IsText() {
		return c.textColumn(f)
	}
	n, ok := c.number(f)
	if !ok {
		if f == rating.CDRIsLastCDR {
			return jsonapi.BoolValue(true) // not said means yes, as for invoices
		}
		return jsonapi.Value{}
	}
	switch f.Kind() {
	case rating.KindTime:
		return jsonapi.MicroValue(n)
	case rating.KindBool:
		return jsonapi.BoolValue(n != 0)
	case rating.KindMoney:
		return jsonapi.DecimalValue(rating.Money(n).Decimal())
	case rating.KindPrice:
		return jsonapi.DecimalValue(rating.Price(n).Decimal())
	case rating.KindPercent:
		return jsonapi.DecimalValue(rating.Percent(n).Decimal())
	case rating.KindFloat:
		return jsonapi.FloatValue(rating.Money(n).String())
	}
	return jsonapi.IntegerValue(n)
}

func (c *call) textColumn(f rating.CDRField) jsonapi.Value {
	var s string
	ok := true
	if c.whole != nil {
		s = c.whole.Text(f)
	} else {
		s, ok = c.Text(f)
	}
	switch {
	case !ok || s == "":
		return jsonapi.Value{}
	case f.Kind() == rating.KindInts || f.Kind() == rating.KindJSON:
		return jsonapi.JSONValue(s)
	}
	return jsonapi.TextValue(s)
}

// columnOps are the filter operators of each kind of column.
var columnOps = map[rating.ValueKind]jsonapi.Ops{
	rating.KindText: jsonapi.StringOps, rating.KindTime: jsonapi.DatetimeOps, rating.KindBool: jsonapi.BoolOps,
	rating.KindInt: jsonapi.NumberOps, rating.KindMoney: jsonapi.NumberOps, rating.KindPrice: jsonapi.NumberOps,
	rating.KindPercent: jsonapi.NumberOps, rating.KindFloat: jsonapi.NumberOps,
	rating.KindInet: jsonapi.ExactOps, rating.KindUUID: jsonapi.ExactOps,
}

// operators returns the filter operators of a column. The addresses of a call's two legs are text in
// Yeti; only the one that was authorised is an inet. Source: contract 4.1, 4.2.
func operators(f rating.CDRField) jsonapi.Ops {
	switch f {
	case rating.CDRSignOrigIP, rating.CDRSignOrigLocalIP, rating.CDRSignTermIP, rating.CDRSignTermLocalIP:
		return jsonapi.StringOps
	}
	return columnOps[f.Kind()]
}

// valueKind is the kind of an attribute that is computed as a value already.
func valueKind(ops jsonapi.Ops) jsonapi.Kind[jsonapi.Value] {
	return jsonapi.Kind[jsonapi.Value]{Ops: ops, Value: func(v jsonapi.Value) jsonapi.Value { return v }}
}

// callAttrs declares attributes by their names: columns of the call, and the few that are not.
func callAttrs(names string) (attrs []jsonapi.Attr[call]) {
	for _, name := range strings.Fields(names) {
		attrs = append(attrs, callAttr(name))
	}
	return attrs
}

func callAttr(name string) jsonapi.Attr[call] {
	switch name {
	case "metadata":
		return jsonapi.Virtual(name, jsonapi.JSON, callMetadata, func(c *call, m json.RawMessage) { c.metadata, c.changed = m, true }, jsonapi.UpdateOnly, jsonapi.NoSort, jsonapi.Rule(shortMetadata))
	case "customer-invoice-id":
		return jsonapi.View(name, valueKind(jsonapi.NumberOps), callInvoice(rating.CDRCustomerAccID))
	case "vendor-invoice-id":
		return jsonapi.View(name, valueKind(jsonapi.NumberOps), callInvoice(rating.CDRVendorAccID))
	case "uuid":
		return jsonapi.View(name, valueKind(jsonapi.ExactOps), callUUID)
	case "rec": // billd keeps no recordings
		return jsonapi.View(name, jsonapi.Bool, func(*jsonapi.Request, *call) (bool, error) { return false, nil }, jsonapi.NoSort, jsonapi.NoFilter)
	}
	f, ok := rating.CDRFieldNamed(strings.ReplaceAll(name, "-", "_"))
	if !ok {
		panic("yeti: a call has no column for " + name)
	}
	return jsonapi.View(name, valueKind(operators(f)), func(_ *jsonapi.Request, c *call) (jsonapi.Value, error) { return c.column(f), nil })
}

// brief returns what tells which invoice and UUID a call has.
func (c *call) brief() *rating.CDR {
	if c.whole != nil {
		return c.whole
	}
	b := &rating.CDR{ID: c.ID()}
	start, _ := c.Int(rating.CDRTimeStart)
	b.SetInt(rating.CDRTimeStart, start)
	u, _ := c.Text(rating.CDRUUID)
	b.SetText(rating.CDRUUID, u)
	return b
}

func callUUID(r *jsonapi.Request, c *call) (jsonapi.Value, error) {
	return jsonapi.TextValue(r.Tx.CDRUUID(c.brief())), nil
}

// callInvoice computes the invoice that a call is on, for the account in a column.
func callInvoice(account rating.CDRField) func(*jsonapi.Request, *call) (jsonapi.Value, error) {
	return func(r *jsonapi.Request, c *call) (jsonapi.Value, error) {
		id, ok := c.number(account)
		if !ok || id == 0 {
			return jsonapi.Value{}, nil
		}
		n, err := r.Tx.InvoiceOf(rating.AccountID(id), c.brief())
		if err != nil || n == 0 {
			return jsonapi.Value{}, err
		}
		return jsonapi.IntegerValue(int64(n)), nil
	}
}

// maxMetadata bounds the JSON that a client keeps with a call, in bytes.
const maxMetadata = 4096

func callMetadata(_ *jsonapi.Request, c *call) (json.RawMessage, error) {
	if c.changed {
		return c.metadata, nil
	}
	s := c.whole.Text(rating.CDRMetadata)
	return json.RawMessage(s), nil
}

// shortMetadata is a rule of what is sent; what is stored is shorter.
func shortMetadata(v jsonapi.Value) string {
	if v.Len() > maxMetadata {
		return fmt.Sprintf("is too long (maximum is %d bytes)", maxMetadata)
	}
	return ""
}

// checkMetadata writes what was sent without its blanks.
func checkMetadata(_ *jsonapi.Request, c *call, _ *jsonapi.Body) jsonapi.Problems {
	var b bytes.Buffer
	if c.changed && c.metadata != nil && json.Compact(&b, c.metadata) == nil {
		c.metadata = b.Bytes()
	}
	return nil
}

// callRel is a relationship held in a column.
func callRel(name, typ string, f rating.CDRField, opts ...jsonapi.Option) jsonapi.Rel[call] {
	return jsonapi.OneBy(name, typ, func(_ *jsonapi.Request, c *call) (string, error) {
		n, _ := c.number(f)
		if n <= 0 {
			return "", nil
		}
		return strconv.FormatInt(n, 10), nil
	}, append(opts, jsonapi.Linkage)...)
}

// callNetworkType is the type of the network in a column.
func callNetworkType(name string, f rating.CDRField) jsonapi.Rel[call] {
	return jsonapi.OneBy(name, "network-types", func(r *jsonapi.Request, c *call) (string, error) {
		if typ := networkType(r, c, f); typ != 0 {
			return decimal(typ), nil
		}
		return "", nil
	}, jsonapi.Linkage)
}

// networkType returns the type of the network in a column; 0 when there is none.
func networkType(r *jsonapi.Request, c *call, f rating.CDRField) uint64 {
	n, _ := c.number(f)
	if n <= 0 {
		return 0
	}
	if net := r.Tx.Numbering().Network(uint64(n)); net != nil {
		return net.Type
	}
	return 0
}

// callKeys are the foreign keys that lists of calls are filtered by, beside attributes.
var callKeys = []string{"customer_id", "vendor_id", "customer_acc_id", "vendor_acc_id", "customer_auth_id", "destination_id",
	"dialpeer_id", "rateplan_id", "pop_id", "node_id", "routing_group_id", "routing_plan_id", "orig_gw_id", "term_gw_id",
	"dst_country_id", "dst_network_id", "src_country_id", "src_network_id"}

// callFilters are the conditions beside those of the attributes. pageCalls answers them; declaring
// them makes the engine check their names and values.
func callFilters() (filters []jsonapi.Filter[call]) {
	for _, name := range callKeys {
		f, _ := rating.CDRFieldNamed(name)
		filters = append(filters, jsonapi.Filter[call]{Name: name, Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, c *call) jsonapi.Value { return c.column(f) }})
	}
	for name, f := range map[string]rating.CDRField{"dst_network_type_id": rating.CDRDstNetworkID, "src_network_type_id": rating.CDRSrcNetworkID} {
		filters = append(filters, jsonapi.Filter[call]{Name: name, Ops: jsonapi.ExactOps, Value: func(r *jsonapi.Request, c *call) jsonapi.Value {
			if typ := networkType(r, c, f); typ != 0 {
				return jsonapi.IntegerValue(int64(typ))
			}
			return jsonapi.Value{}
		}})
	}
	for _, name := range []string{"src_prefix_in", "dst_prefix_in", "src_prefix_routing", "dst_prefix_routing"} {
		f, _ := rating.CDRFieldNamed(name)
		filters = append(filters, jsonapi.Filter[call]{Name: name + "_contains", Match: func(_ *jsonapi.Request, c *call, values []string) bool {
			s, _ := c.Text(f)
			return textTest("contains", values)([]byte(s))
		}})
	}
	for side, f := range map[string]rating.CDRField{"dst": rating.CDRDstCountryID, "src": rating.CDRSrcCountryID} {
		filters = append(filters, jsonapi.Filter[call]{Name: side + "_country_iso_eq", One: true, Match: func(r *jsonapi.Request, c *call, values []string) bool {
			country, err := r.Tx.CountryByISO2(values[0])
			r.Fail(ignoreMissing(err))
			n, ok := c.number(f)
			return err == nil && ok && uint64(n) == country.ID
		}})
	}
	return filters
}

// pageCalls lists all calls.
func pageCalls(r *jsonapi.Request, q *jsonapi.Query) (jsonapi.Page[call], error) {
	s, err := newCallSearch(r, q, adminCond)
	if err != nil {
		return jsonapi.Page[call]{}, err
	}
	return s.page(q)
}

// invoiceSides say whose calls an invoice filter is about.
var invoiceSides = map[string]rating.Side{"customer_invoice_id_eq": rating.CustomerSide, "vendor_invoice_id_eq": rating.VendorSide}

// adminCond narrows the search for an invoice to its account, for a UUID to its call, and finds
// countries by their code.
func adminCond(s *callSearch, c *jsonapi.Cond) (bool, error) {
	if side, ok := invoiceSides[c.Name]; ok && s.Accounts == nil {
		s.only(side, nil)
		if n, err := strconv.ParseUint(strings.TrimSpace(c.Values[0]), 10, 64); err == nil {
			inv, err := s.r.Tx.Invoices.Get(n)
			if err != nil {
				return true, ignoreMissing(err)
			}
			s.only(side, []rating.AccountID{inv.Account})
		}
		return false, nil
	}
	if c.Name == "uuid_eq" || c.Name == "uuid_in" {
		s.byUUID(c.Values)
		return false, nil
	}
	side, ok := strings.CutSuffix(c.Name, "_country_iso_eq")
	if !ok {
		return false, nil
	}
	country, err := s.r.Tx.CountryByISO2(c.Values[0])
	if is(err, rating.NotFound) {
		return true, jsonapi.BadFilter(c.Values[0], c.Name)
	}
	if err != nil {
		return true, err
	}
	f, _ := rating.CDRFieldNamed(side + "_country_id")
	s.Where = append(s.Where, storage.CallCond{Field: f, Within: []storage.CallRange{{Least: int64(country.ID), Most: int64(country.ID)}}})
	return true, nil
}
