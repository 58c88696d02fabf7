package kazoo

import (
	"net/http"
	"slices"

	"billd/rating"
	"billd/storage"
)

// maxCollection bounds how many numbers one request may name.
const maxCollection = 1_000

// collection reads the numbers of a request, each once and in its normal form; what is none goes to bad.
func (x *exchange) collection() (numbers []string, bad document, data document, err error) {
	if data, err = x.object(); err != nil {
		return nil, nil, nil, err
	}
	f := newForm(data)
	f.need("numbers")
	list, ok := data["numbers"].([]any)
	if !ok && f.has("numbers") {
		f.wrongType("numbers", "array")
	}
	if len(list) > maxCollection {
		f.problem("numbers", "maxItems", "Too many elements", "target", maxCollection)
	}
	if err := f.err(); err != nil {
		return nil, nil, nil, err
	}
	bad = document{}
	for _, v := range list {
		s, _ := plain(v)
		if n, ok := normalNumber(s); !ok {
			bad[clip(s)] = document{"code": http.StatusBadRequest, "error": "not_reconcilable", "message": "not a phone number"}
		} else if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	return numbers, bad, data, nil
}

// changeNumbers makes or changes several numbers: those that cannot be are told of, the others are
// stored, all with one consent.
func (x *exchange) changeNumbers(state string) (*answer, error) {
	numbers, bad, data, err := x.collection()
	if err != nil {
		return nil, err
	}
	if err := checkNumberDoc(data); err != nil {
		return nil, err
	}
	var good document
	err = x.update(func(tx *storage.Tx) error {
		good = document{}
		var puts []*storage.Object
		var was, is share
		for _, n := range numbers {
			o, before, after, err := x.putNumber(tx, n, state, data)
			if f, ok := err.(*failure); ok {
				bad[n] = f.data
				continue
			}
			if err != nil {
				return err
			}
			was.units, is.units = was.units.Add(before.units, 1), is.units.Add(after.units, 1)
			is.plans = append(is.plans, after.plans...)
			good[n] = o
			puts = append(puts, o)
		}
		return x.changeIn(tx, was, is, func(tx *storage.Tx) error {
			for _, o := range puts {
				if err := tx.Objects.Put(o); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return x.answerNumbers(good, bad)
}

func deleteNumbers(x *exchange) (*answer, error) {
	numbers, bad, _, err := x.collection()
	if err != nil {
		return nil, err
	}
	var good document
	err = x.update(func(tx *storage.Tx) error {
		good = document{}
		return x.recommit(tx, func(tx *storage.Tx) error {
			for _, n := range numbers {
				o, err := findNumber(tx, x, n)
				if isConflict(err) || err == nil && o == nil {
					bad[n] = noNumber(n).data
					continue
				}
				if err != nil {
					return err
				}
				if err := tx.Objects.Delete(o.ID); err != nil {
					return err
				}
				good[n] = o
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return x.answerNumbers(good, bad)
}

// answerNumbers tells what became of each number; it is a failure when all failed.
func (x *exchange) answerNumbers(good, bad document) (*answer, error) {
	if len(good) == 0 && len(bad) > 0 {
		return nil, &failure{status: http.StatusBadRequest, message: "validation error", data: bad}
	}
	id := x.account.UUID.Hex()
	for n, o := range good {
		good[n] = numberView(o.(*storage.Object), id)
	}
	data := document{"success": good}
	if len(bad) > 0 {
		data["error"] = bad
	}
	return &answer{data: data}, nil
}

// checkNumbers tells which numbers are free.
func checkNumbers(x *exchange) (*answer, error) {
	numbers, bad, _, err := x.collection()
	if err != nil {
		return nil, err
	}
	data := document{}
	for n := range bad {
		data[n] = "error"
	}
	err = x.view(func(tx *storage.Tx) error {
		for _, n := range numbers {
			data[n] = "success"
			if _, err := tx.ObjectByUUID(named(numbersNoun, n)); err == nil {
				data[n] = "error"
			} else if rating.KindOf(err) != rating.NotFound {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: data, status: http.StatusOK}, nil
}
