package kazoo

import "billd/storage"

// manualQuantities reads quantities that are put in by hand.
func manualQuantities(data document) (storage.Quantities, error) {
	f := newForm(data)
	q := storage.Quantities{}
	for category := range data {
		items := f.sub(category)
		if q[category] = map[string]int64{}; items.doc == nil && f.errs[category] == nil {
			f.wrongType(category, "object")
		}
		for item := range items.doc {
			items.need(item)
			q[category][item] = items.integer(item, 0, maxManual, 0)
		}
	}
	return q, f.err()
}

const maxManual = 1_000_000_000 // units of one item

// services reads what the account is sold.
func (x *exchange) services() (s *storage.Services, err error) {
	err = x.view(func(tx *storage.Tx) (err error) {
		s, err = tx.ServicesOf(x.account.ID)
		return err
	})
	return s, err
}

func readManual(x *exchange) (*answer, error) {
	s, err := x.services()
	if err != nil {
		return nil, err
	}
	return &answer{data: orEmpty(s.Manual), revision: stored}, nil
}

// changeManual replaces the manual quantities (POST) or merges into them (PATCH). A POST of nothing
// changes nothing, as in Kazoo.
func changeManual(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	merged := x.method == patch || x.rootFlag("merge")
	b, err := x.commitTarget(func(_ *storage.Tx, b *books) error {
		doc := data
		if merged {
			doc = merge(quantityDocument(b.Services.Manual), data)
		}
		if len(data) == 0 {
			return nil
		}
		q, err := manualQuantities(doc)
		b.Services.Manual = q
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: orEmpty(b.Services.Manual), revision: stored}, nil
}

// quantityDocument returns quantities as a document.
func quantityDocument(q storage.Quantities) document {
	doc := document{}
	for category, items := range q {
		sub := document{}
		for item, n := range items {
			sub[item] = jsonInt(n)
		}
		doc[category] = sub
	}
	return doc
}

func readOverrides(x *exchange) (*answer, error) {
	s, err := x.services()
	if err != nil {
		return nil, err
	}
	return &answer{data: readDocument(s.Overrides), revision: stored}, nil
}

func changeOverrides(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	merged := x.method == patch || x.rootFlag("merge")
	b, err := x.commitTarget(func(_ *storage.Tx, b *books) error { return b.setOverrides(data, merged) })
	if err != nil {
		return nil, err
	}
	return &answer{data: b.Overrides(), revision: stored}, nil
}

// reconcile counts everything anew.
func reconcile(x *exchange) (*answer, error) {
	err := x.update(func(tx *storage.Tx) error {
		a, err := tx.OpenAccount(x.account.ID)
		if err == nil {
			err = recountTree(tx, a)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{}}, nil
}

// synchronize pushes every invoice to its bookkeeper, which is billd itself: an audit each.
func synchronize(x *exchange) (*answer, error) {
	err := x.update(func(tx *storage.Tx) error {
		b, err := openBooks(tx, x.account)
		if err != nil {
			return err
		}
		invoices, err := b.Invoices()
		if err != nil {
			return err
		}
		for _, v := range invoices {
			if err := tx.AuditServices(x.account, v, nil, x.account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{}}, nil
}
