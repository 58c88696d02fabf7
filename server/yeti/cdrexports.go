package yeti

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/server/ops"
	"billd/storage"
)

// cdrExport is a request for calls as a file, with what its document may have got wrong.
type cdrExport struct {
	storage.CDRExport
	foreign bool // it names an account that the customer does not see
}

var exportStatuses = []string{"Pending", "Completed", "Failed", "Deleted"}

// Bounds of a request for an export.
const (
	maxExportFields  = 200
	maxExportFilters = 16 << 10 // bytes
)

// customerColumns are what a customer's export consists of. Source: contract 4.5.
const customerColumns = `time_start time_connect time_end success duration src_name_in src_prefix_in dst_prefix_in from_domain
	to_domain ruri_domain lega_disconnect_code lega_disconnect_reason auth_orig_ip auth_orig_port src_prefix_routing
	dst_prefix_routing destination_prefix destination_initial_interval destination_next_interval destination_initial_rate
	destination_next_rate destination_fee customer_price customer_duration orig_call_id local_tag lega_user_agent diversion_in`

// customerExportFilters are what a customer may ask for. Source: contract 4.5.
var customerExportFilters = []string{"time_start_gteq", "time_start_lt", "success_eq", "duration_eq", "duration_gteq", "duration_lteq", "src_prefix_routing_eq", "dst_prefix_routing_eq"}

// cdrExports is what operators ask for.
func (a *API) cdrExports() jsonapi.Resource[cdrExport] {
	return jsonapi.Resource[cdrExport]{
		Type: "cdr-exports", Verbs: jsonapi.ReadVerbs | jsonapi.Create | jsonapi.Delete,
		Key: func(e *cdrExport) string { return decimal(e.ID) },
		Each: func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*cdrExport) (bool, error)) error {
			return r.Tx.CDRExports.Each(0, func(e *storage.CDRExport) (bool, error) { return fn(&cdrExport{CDRExport: *e}) })
		},
		Load: func(r *jsonapi.Request, id string) (*cdrExport, error) {
			ids, err := numbers[uint64]([]string{id})
			if err != nil {
				return nil, err
			}
			return loadExport(r.Tx.CDRExports.Get(ids[0]))
		},
		Attrs: []jsonapi.Attr[cdrExport]{
			jsonapi.Field("fields", jsonapi.Texts, func(e *cdrExport) *[]string { return &e.Fields }, jsonapi.NoSort),
			exportFilters(),
			exportStatus(),
			jsonapi.Field("created-at", jsonapi.Instant, func(e *cdrExport) *instant { return &e.CreatedAt }, jsonapi.ReadOnly),
			jsonapi.Field("callback-url", jsonapi.NullText, func(e *cdrExport) **string { return &e.Callback }, jsonapi.NoSort),
			jsonapi.Virtual("export-type", jsonapi.Text, func(*jsonapi.Request, *cdrExport) (string, error) { return "Base", nil }, func(*cdrExport, string) {}, jsonapi.NoSort),
		},
		New: func(*jsonapi.Request) *cdrExport {
			return &cdrExport{CDRExport: storage.CDRExport{TimeFormat: ops.TimeWithZone}}
		},
		Check:  checkExport,
		Insert: insertExport,
		Remove: func(r *jsonapi.Request, e *cdrExport) error {
			if e.Status == storage.ExportDeleted {
				return nil
			}
			return r.Tx.DropCDRExport(&e.CDRExport)
		},
		Actions: []jsonapi.Action[cdrExport]{{Name: "download", Serve: a.sendExport}},
	}
}

func loadExport(e *storage.CDRExport, err error) (*cdrExport, error) {
	if err != nil {
		return nil, err
	}
	return &cdrExport{CDRExport: *e}, nil
}

func exportFilters() jsonapi.Attr[cdrExport] {
	object := jsonapi.Kind[json.RawMessage]{Ops: jsonapi.NoOps, Value: jsonapi.JSON.Value,
		Parse: func(in jsonapi.Input) (json.RawMessage, string) {
			if !in.IsObject() || len(in.Raw) > maxExportFilters {
				return nil, "is invalid"
			}
			return json.RawMessage(in.Raw), ""
		}}
	return jsonapi.Field("filters", object, func(e *cdrExport) *json.RawMessage { return &e.Filters }, jsonapi.NoSort)
}

func exportStatus() jsonapi.Attr[cdrExport] {
	return jsonapi.Field("status", jsonapi.EnumOf(exportStatuses, storage.ExportStatus.String), func(e *cdrExport) *storage.ExportStatus { return &e.Status }, jsonapi.ReadOnly, jsonapi.NoSort)
}

func insertExport(r *jsonapi.Request, e *cdrExport) error {
	err := r.Tx.CreateCDRExport(&e.CDRExport)
	if is(err, rating.Limit) {
		return jsonapi.Refuse("too many exports are pending")
	}
	return err
}

// checkExport has the rules of an operator's export. Source: contract 3.22.
func checkExport(r *jsonapi.Request, e *cdrExport, b *jsonapi.Body) (ps jsonapi.Problems) {
	e.Fields = slices.DeleteFunc(e.Fields, func(f string) bool { return strings.TrimSpace(f) == "" })
	var unknown []string
	for _, f := range e.Fields {
		if _, ok := rating.CDRFieldNamed(f); !ok && !ops.ExportColumn(f) {
			unknown = append(unknown, f)
		}
	}
	switch {
	case len(e.Fields) == 0:
		ps = append(ps, jsonapi.AttrProblem("fields", "can't be blank"))
	case len(unknown) > 0:
		ps = append(ps, jsonapi.AttrProblem("fields", strings.Join(unknown, ", ")+" not allowed"))
	case len(e.Fields) > maxExportFields:
		ps = append(ps, jsonapi.AttrProblem("fields", "is too long"))
	}
	if s, sent := b.Text("export-type"); sent && s != "Base" {
		ps = append(ps, jsonapi.AttrProblem("export-type", "is not included in the list"))
	}
	if b.Sent("filters") && e.Filters == nil && !b.Null("filters") {
		return ps // is invalid
	}
	asked, message := readExportFilters(r, &e.CDRExport, exportable)
	switch {
	case message != "":
	case len(asked) == 0:
		message = "can't be blank"
	default:
		if !asked["time_start_gteq"] {
			ps = append(ps, jsonapi.AttrProblem("filters", "requires time_start_gteq"))
		}
		if !asked["time_start_lteq"] && !asked["time_start_lt"] {
			ps = append(ps, jsonapi.AttrProblem("filters", "requires time_start_lteq"))
		}
	}
	if message != "" {
		ps = append(ps, jsonapi.AttrProblem("filters", message))
	}
	return ps
}

// sendExport answers with a finished export's file; without one, 404 and nothing.
func (a *API) sendExport(r *jsonapi.Request, c *fiber.Ctx, e *cdrExport) error {
	if e.Status != storage.ExportCompleted {
		return jsonapi.NoRoute
	}
	name := decimal(e.ID)
	if e.Account != 0 {
		name = e.UUID.String()
	}
	c.Set("Content-Type", "application/gzip")
	c.Set("Content-Disposition", `attachment; filename="`+name+`.csv.gz"`)
	c.Set("Cache-Control", "no-cache")
	return c.Status(fiber.StatusOK).SendStream(a.o.DB.ExportFile(r.Tx, e.ID), int(e.Size))
}

var timeFormats = []string{ops.TimeWithZone, ops.TimeWithoutZone, ops.TimeInSeconds}

// customerExports is what customers ask for: the calls that an account of theirs paid for.
func (a *API) customerExports() jsonapi.Resource[cdrExport] {
	v := a.cdrExports()
	of := func(e *cdrExport) rating.AccountID { return e.Account }
	v.Verbs, v.ID = jsonapi.ReadVerbs|jsonapi.Create, jsonapi.UUIDID
	v.Key = func(e *cdrExport) string { return e.UUID.String() }
	v.Load = byUUID(func(tx *storage.Tx, u rating.UUID) (*cdrExport, error) { return loadExport(tx.CDRExportByUUID(u)) })
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*cdrExport) (bool, error)) error {
		return eachOfScope(r, func(a *account, fn func(*storage.CDRExport) (bool, error)) error { return r.Tx.CDRExportsOf(a.ID, fn) },
			func(e *storage.CDRExport) (bool, error) { return fn(&cdrExport{CDRExport: *e}) })
	}
	v.Hidden = func(r *jsonapi.Request, e *cdrExport) bool { return e.Account == 0 || !sees(r, e.Account) }
	v.Attrs = []jsonapi.Attr[cdrExport]{
		exportFilters(),
		exportStatus(),
		jsonapi.Field("rows-count", jsonapi.NullInteger, func(e *cdrExport) **int64 { return &e.Rows }, jsonapi.ReadOnly),
		jsonapi.Field("created-at", jsonapi.Instant, func(e *cdrExport) *instant { return &e.CreatedAt }, jsonapi.ReadOnly),
		jsonapi.Field("updated-at", jsonapi.Instant, func(e *cdrExport) *instant { return &e.UpdatedAt }, jsonapi.ReadOnly),
		jsonapi.Field("time-format", jsonapi.Text, func(e *cdrExport) *string { return &e.TimeFormat }, jsonapi.PlainFilter, jsonapi.NoFilter),
		jsonapi.Field("time-zone-name", jsonapi.NullText, func(e *cdrExport) **string { return &e.Zone }),
	}
	v.Rels = []jsonapi.Rel[cdrExport]{
		jsonapi.OneNamed("account", "accounts", func(r *jsonapi.Request, e *cdrExport) (string, error) { return accountUUID(r, e.Account) }, nameAccount),
	}
	v.Filters = []jsonapi.Filter[cdrExport]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, e *cdrExport) jsonapi.Value { return jsonapi.TextValue(e.UUID.String()) }},
		accountFilter(of),
	}
	v.Order = "-created-at"
	v.Check = checkCustomerExport
	return v
}

// nameAccount takes the account that a request names, if the customer sees it.
func nameAccount(r *jsonapi.Request, e *cdrExport, id string) error {
	e.Account, e.foreign = 0, false
	if id == "" {
		return nil
	}
	e.foreign = true
	u, err := rating.ParseUUID(id)
	if err != nil {
		return nil
	}
	a, err := r.Tx.AccountByUUID(u)
	if err == nil && scope(r).sees(a) {
		e.Account, e.foreign = a.ID, false
	}
	return ignoreMissing(err)
}

// checkCustomerExport has the rules of a customer's export. Source: contract 4.5.
func checkCustomerExport(r *jsonapi.Request, e *cdrExport, b *jsonapi.Body) (ps jsonapi.Problems) {
	switch {
	case e.foreign:
		ps = append(ps, jsonapi.RelProblem("account", "is invalid"))
	case e.Account == 0:
		ps = append(ps, jsonapi.RelProblem("account", "can't be blank"))
	}
	if !slices.Contains(timeFormats, e.TimeFormat) {
		ps = append(ps, jsonapi.AttrProblem("time-format", "is not included in the list: "+strings.Join(timeFormats, ", ")))
	}
	if e.Zone != nil && !knownZone(*e.Zone) {
		ps = append(ps, jsonapi.AttrProblem("time-zone-name", "is invalid"))
	}
	if b.Sent("filters") && e.Filters == nil && !b.Null("filters") {
		return ps // is invalid
	}
	asked, message := readExportFilters(r, &e.CDRExport, func(name string) bool { return slices.Contains(customerExportFilters, name) })
	for _, name := range []string{"time_start_gteq", "time_start_lt"} {
		if message == "" && !asked[name] {
			message = "requires " + name
		}
	}
	if message != "" {
		ps = append(ps, jsonapi.AttrProblem("filters", message))
	}
	e.Fields = strings.Fields(customerColumns)
	e.Where = append(e.Where, storage.ExportCond{Field: "is_last_cdr", Op: "eq", Value: "true"})
	return ps
}
