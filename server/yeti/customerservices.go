package yeti

import (
	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// customerServices are the services of the accounts that a customer sees.
func customerServices() jsonapi.Resource[serviceRow] {
	full := services
	full.Attrs = append(append([]jsonapi.Attr[serviceRow]{}, services.Attrs...),
		jsonapi.View("service-type", jsonapi.Text, func(r *jsonapi.Request, s *serviceRow) (string, error) {
			t, err := r.Tx.ServiceTypes.Get(s.service.Type)
			if err != nil {
				return "", err
			}
			return t.Name, nil
		}, jsonapi.NoSort, jsonapi.NoFilter),
		jsonapi.View("ui-type", jsonapi.NullText, func(*jsonapi.Request, *serviceRow) (*string, error) { return nil, nil }, jsonapi.NoSort, jsonapi.NoFilter))
	v := full.Pick("name", "state", "initial-price", "renew-price", "created-at", "renew-at", "renew-period", "service-type", "ui-type")
	v.ID = jsonapi.UUIDID
	v.Key = func(s *serviceRow) string { return s.UUID.String() }
	v.Load = byUUID(func(tx *storage.Tx, u rating.UUID) (*serviceRow, error) {
		s, err := tx.YetiServiceByUUID(u)
		if err != nil {
			return nil, err
		}
		return newServiceRow(s), nil
	})
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*serviceRow) (bool, error)) error {
		return eachOfScope(r, func(a *account, fn func(*service) (bool, error)) error { return r.Tx.YetiServicesOf(a.ID, fn) },
			func(s *service) (bool, error) { return fn(newServiceRow(s)) })
	}
	v.Hidden = func(r *jsonapi.Request, s *serviceRow) bool { return !sees(r, s.Account) }
	of := func(s *serviceRow) rating.AccountID { return s.Account }
	v.Rels = []jsonapi.Rel[serviceRow]{
		accountRel(of),
		jsonapi.Many("transactions", "transactions", serviceTransactions(func(r *jsonapi.Request, p *rating.Posting) string { return r.Tx.PostingUUID(p).String() }), nil),
	}
	v.Filters = []jsonapi.Filter[serviceRow]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, s *serviceRow) jsonapi.Value { return jsonapi.TextValue(s.UUID.String()) }},
		accountFilter(of),
	}
	v.Order = "name"
	return v
}

// eachOfScope calls fn with the records of every account that the customer sees until it returns false.
func eachOfScope[T any](r *jsonapi.Request, of func(*account, func(*T) (bool, error)) error, fn func(*T) (bool, error)) error {
	list, err := scoped(r)
	return offer(list, err, func(a *account) (more bool, err error) {
		more = true
		err = of(a, func(v *T) (bool, error) {
			more, err = fn(v)
			return more, err
		})
		return more, err
	})
}
