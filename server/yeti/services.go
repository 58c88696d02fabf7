package yeti

import (
	"encoding/json"
	"strings"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

type service = storage.YetiService

// classPrefix stands before a class's name on the wire.
const classPrefix = "Billing::Provisioning::"

// serviceClass is what a service of a type does beside costing money.
var serviceClass = jsonapi.Kind[storage.ServiceClass]{
	Ops: jsonapi.StringOps,
	Value: func(c storage.ServiceClass) jsonapi.Value {
		if c == "" {
			return jsonapi.Value{}
		}
		return jsonapi.TextValue(classPrefix + string(c))
	},
	Parse: func(in jsonapi.Input) (storage.ServiceClass, string) {
		s, _ := in.Scalar()
		if strings.TrimSpace(s) == "" {
			return "", ""
		}
		switch c := storage.ServiceClass(strings.TrimPrefix(s, classPrefix)); c {
		case storage.LoggingService, storage.FreeMinutesService, storage.PhoneSystemsService:
			if strings.HasPrefix(s, classPrefix) {
				return c, ""
			}
		}
		return "", "is invalid"
	},
}

// maxVariables bounds the JSON that a service or its type carries.
const maxVariables = 64 << 10

// variables are a JSON object that billd keeps.
var variables = jsonapi.Kind[json.RawMessage]{
	Ops: jsonapi.NoOps, Value: jsonapi.JSON.Value,
	Parse: func(in jsonapi.Input) (json.RawMessage, string) {
		s, scalar := in.Scalar()
		switch {
		case scalar && strings.TrimSpace(s) == "":
			return nil, ""
		case !in.IsObject() || len(in.Raw) > maxVariables:
			return nil, "must be a JSON object or empty"
		}
		return json.RawMessage(in.Raw), ""
	},
}

var serviceTypes = jsonapi.Resource[storage.ServiceType]{
	Type: "service-types", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.ServiceType] { return tx.ServiceTypes },
	Key:  func(t *storage.ServiceType) string { return decimal(t.ID) },
	Attrs: []jsonapi.Attr[storage.ServiceType]{
		jsonapi.Field("name", jsonapi.Text, func(t *storage.ServiceType) *string { return &t.Name }, jsonapi.Required, jsonapi.Unique),
		jsonapi.Field("force-renew", jsonapi.Bool, func(t *storage.ServiceType) *bool { return &t.ForceRenew }),
		jsonapi.Field("provisioning-class", serviceClass, func(t *storage.ServiceType) *storage.ServiceClass { return &t.Class }, jsonapi.Required),
		jsonapi.Field("variables", variables, func(t *storage.ServiceType) *json.RawMessage { return &t.Variables }, jsonapi.NoSort),
	},
	Check: checkServiceType,
	Remove: func(r *jsonapi.Request, t *storage.ServiceType) error {
		used, err := r.Tx.ServiceTypeUsed(t.ID)
		if err != nil {
			return err
		}
		if used {
			return jsonapi.Refuse("Cannot delete record because dependent services exist")
		}
		return r.Tx.ServiceTypes.Delete(t.ID)
	},
}

// checkServiceType refuses variables that the class cannot work with, and another class for services
// that were made for the one that it was.
func checkServiceType(r *jsonapi.Request, t *storage.ServiceType, b *jsonapi.Body) (ps jsonapi.Problems) {
	if t.Class.CheckVariables(t.Variables) != nil {
		ps = append(ps, jsonapi.AttrProblem("variables", "is invalid"))
	}
	if b.Create || !b.Sent("provisioning-class") {
		return ps
	}
	old, err := r.Tx.ServiceTypes.Get(t.ID)
	r.Fail(err)
	used, err := r.Tx.ServiceTypeUsed(t.ID)
	r.Fail(err)
	if old != nil && used && old.Class != t.Class && t.Class != "" {
		ps = append(ps, jsonapi.AttrProblem("provisioning-class", "can't be changed while services exist"))
	}
	return ps
}

// The words of a service.
var (
	servicePeriods = []string{"Day", "Month", "Disabled"}
	serviceStates  = []string{"Active", "Suspended"}
)

// serviceRow is a service with what a request brings: prices that may be missing, a period that is none.
type serviceRow struct {
	service
	noPeriod      bool // the request names a period that is none
	initial, next *rating.Money
}

func newServiceRow(s *service) *serviceRow {
	return &serviceRow{service: *s, initial: &s.InitialPrice, next: &s.RenewPrice}
}

// renewPeriod is how often a service is renewed.
var renewPeriod = jsonapi.Kind[string]{
	Ops:   jsonapi.EnumOps(servicePeriods...),
	Value: jsonapi.TextValue,
	Parse: func(in jsonapi.Input) (string, string) {
		s, ok := in.Scalar()
		if !ok {
			s = in.Raw
		}
		return s, ""
	},
}

var services = jsonapi.Resource[serviceRow]{
	Type: "services", Verbs: jsonapi.ReadVerbs | jsonapi.Create | jsonapi.Update,
	Key:  func(s *serviceRow) string { return decimal(s.ID) },
	Each: eachService,
	Load: func(r *jsonapi.Request, id string) (*serviceRow, error) {
		ids, err := numbers[uint64]([]string{id})
		if err != nil || ids[0] == 0 {
			return nil, jsonapi.NoRecord(id)
		}
		s, err := r.Tx.YetiServices.Get(ids[0])
		if err != nil {
			return nil, err
		}
		return newServiceRow(s), nil
	},
	Attrs: []jsonapi.Attr[serviceRow]{
		jsonapi.Field("name", jsonapi.NullText, func(s *serviceRow) **string { return &s.Name }),
		jsonapi.Field("variables", variables, func(s *serviceRow) *json.RawMessage { return &s.Variables }, jsonapi.NoSort),
		jsonapi.Field("state", jsonapi.EnumOf(serviceStates, storage.ServiceState.String), func(s *serviceRow) *storage.ServiceState { return &s.State }, jsonapi.ReadOnly, jsonapi.NoSort, jsonapi.NoFilter),
		jsonapi.Field("initial-price", jsonapi.NullAmount, func(s *serviceRow) **rating.Money { return &s.initial }, jsonapi.Required, jsonapi.CreateOnly),
		jsonapi.Field("renew-price", jsonapi.NullAmount, func(s *serviceRow) **rating.Money { return &s.next }, jsonapi.Required),
		jsonapi.Field("created-at", jsonapi.Instant, func(s *serviceRow) *instant { return &s.CreatedAt }, jsonapi.ReadOnly),
		jsonapi.Field("renew-at", jsonapi.NullInstant, func(s *serviceRow) **instant { return &s.RenewAt }, jsonapi.CreateOnly),
		jsonapi.Virtual("renew-period", renewPeriod, func(_ *jsonapi.Request, s *serviceRow) (string, error) { return s.Period.String(), nil }, setPeriod, jsonapi.CreateOnly, jsonapi.NoSort),
		jsonapi.Field("uuid", jsonapi.UUID, func(s *serviceRow) *rating.UUID { return &s.UUID }, jsonapi.ReadOnly, jsonapi.NoSort),
	},
	Rels: []jsonapi.Rel[serviceRow]{
		jsonapi.One("account", "accounts", func(s *serviceRow) *rating.AccountID { return &s.Account }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.CreateOnly),
		jsonapi.One("service-type", "service-types", func(s *serviceRow) *uint64 { return &s.service.Type }, jsonapi.MustExist, jsonapi.CreateOnly),
		jsonapi.Many("transactions", "transactions", serviceTransactions(func(_ *jsonapi.Request, p *rating.Posting) string { return decimal(p.ID) }), nil),
		jsonapi.Many("package-counters", "package-counters", func(r *jsonapi.Request, s *serviceRow) (ids []string, err error) {
			err = r.Tx.CountersOf(s.ID, func(c *rating.PackageCounter) (bool, error) {
				ids = append(ids, decimal(c.ID))
				return true, nil
			})
			return ids, err
		}, nil),
	},
	Filters: []jsonapi.Filter[serviceRow]{
		{Name: "account_id", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, s *serviceRow) jsonapi.Value { return jsonapi.IntegerValue(int64(s.Account)) }},
		{Name: "type_id", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, s *serviceRow) jsonapi.Value {
			return jsonapi.IntegerValue(int64(s.service.Type))
		}},
	},
	CheckFirst: []string{"service-type"},
	New: func(r *jsonapi.Request) *serviceRow {
		return &serviceRow{service: service{UUID: rating.NewUUID(r.Tx.Now()), CreatedAt: r.Tx.Now()}}
	},
	Check: checkService,
	Insert: func(r *jsonapi.Request, s *serviceRow) error {
		s.InitialPrice, s.RenewPrice = *s.initial, *s.next
		return r.Tx.CreateYetiService(&s.service)
	},
	Save: func(r *jsonapi.Request, s *serviceRow) error {
		s.RenewPrice = *s.next
		return r.Tx.YetiServices.Put(&s.service)
	},
}

// eachService goes by account's index when the query names one account.
func eachService(r *jsonapi.Request, q *jsonapi.Query, fn func(*serviceRow) (bool, error)) error {
	each := func(s *service) (bool, error) { return fn(newServiceRow(s)) }
	if ids, ok := q.Values("account_id_eq"); ok {
		n, err := numbers[rating.AccountID](ids)
		if err != nil {
			return nil
		}
		return r.Tx.YetiServicesOf(n[0], each)
	}
	return r.Tx.YetiServices.Each(0, each)
}

func setPeriod(s *serviceRow, word string) {
	switch word {
	case "Day":
		s.Period = storage.RenewDaily
	case "Month":
		s.Period = storage.RenewMonthly
	case "Disabled", "":
		s.Period = storage.RenewNever
	default:
		s.noPeriod = true
	}
}

// checkService has the rules of period and date, and asks whether a service of its type can work with
// its variables. Source of the words: contract 3.21.
func checkService(r *jsonapi.Request, s *serviceRow, b *jsonapi.Body) (ps jsonapi.Problems) {
	if s.service.Type != 0 {
		t, err := r.Tx.ServiceTypes.Get(s.service.Type)
		r.Fail(ignoreMissing(err))
		if err == nil && t.Class.CheckVariables(s.Variables) != nil {
			ps = append(ps, jsonapi.AttrProblem("variables", "is invalid"))
		}
	}
	if !b.Create {
		return ps
	}
	switch {
	case s.noPeriod:
		ps = append(ps, jsonapi.AttrProblem("renew-period-id", "is not included in the list"))
	case s.Period != storage.RenewNever && s.RenewAt == nil:
		ps = append(ps, jsonapi.AttrProblem("renew-at", "can't be blank"))
	case s.Period == storage.RenewNever && s.RenewAt != nil:
		ps = append(ps, jsonapi.AttrProblem("renew-at", "must be blank"))
	}
	return ps
}

// serviceTransactions lists the transactions of a service under the ids that an API knows them by.
func serviceTransactions(id func(*jsonapi.Request, *rating.Posting) string) func(*jsonapi.Request, *serviceRow) ([]string, error) {
	return func(r *jsonapi.Request, s *serviceRow) (ids []string, err error) {
		a, err := r.Tx.Accounts.Get(uint64(s.Account))
		if err != nil {
			return nil, err
		}
		number := decimal(s.ID)
		err = r.Tx.TransactionsOf(a, func(p *rating.Posting) (bool, error) {
			if p.Kind == rating.PostingTransaction && p.Service == number {
				ids = append(ids, id(r, p))
			}
			return true, nil
		})
		return ids, err
	}
}
