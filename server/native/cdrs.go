package native

import (
	"cmp"
	"strconv"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// defaultSource is the profile of records that name none.
const defaultSource = "native"

// postCDRs charges a body of records and answers an item per record, in order, once all are durable.
//
// With ?source= that is what records come from that name none. Where its profile says a format, the body is read by that.
func (a *API) postCDRs(c *fiber.Ctx) error {
	o, profiled, err := a.sourceOptions(c)
	if err != nil {
		return err
	}
	if profiled && o.Format != cdrformat.Auto {
		return a.postRecords(c, o)
	}
	records, err := decodeCalls(c.Body(), cmp.Or(o.Source, defaultSource))
	if err != nil {
		return err
	}
	verdicts, err := a.Queue.Submit(c.UserContext(), records)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(appendVerdicts(nil, verdicts))
}

// appendVerdicts writes the answer of an ingest: items in order and their counts. Numbers of CDRs are
// strings, they exceed what a JSON reader's double can hold.
func appendVerdicts(b []byte, verdicts []rating.Verdict) []byte {
	var counts [5]int
	b = append(b, `{"items":[`...)
	for i := range verdicts {
		if i > 0 {
			b = append(b, ',')
		}
		counts[min(int(verdicts[i].Outcome), len(counts)-1)]++
		b = appendVerdict(b, &verdicts[i])
	}
	b = append(b, ']')
	for o, name := range [...]string{"rated", "free", "duplicates", "suspended", "waiting"} {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":`...)
		b = strconv.AppendInt(b, int64(counts[o]), 10)
	}
	return append(b, '}')
}

func appendVerdict(b []byte, v *rating.Verdict) []byte {
	b = append(b, `{"id":"`...)
	if v.Outcome == rating.OutcomeSuspended {
		b = strconv.AppendUint(b, v.Suspense, 10)
	} else {
		b = strconv.AppendUint(b, uint64(v.ID), 10)
	}
	b = append(b, `","status":"`...)
	b = append(b, v.Outcome.String()...)
	b = append(b, `","reason":`...)
	if v.Reason == "" {
		b = append(b, `null,"price":`...)
	} else {
		b = append(append(append(b, '"'), v.Reason...), `","price":`...)
	}
	if v.Outcome >= rating.OutcomeSuspended {
		return append(b, `null,"currency":null}`...)
	}
	b = append(v.Price.Append(append(b, '"')), `","currency":"`...)
	return append(append(b, v.Currency.String()...), `"}`...)
}

// importedCDR is one answer of the history import.
type importedCDR struct {
	ID   string `json:"id"`
	UUID string `json:"uuid"`
}

// importCDRs takes another system's calls as history: prices stay as given, no balance moves. A record
// that cannot be taken refuses the whole body, so that an import is all or nothing.
func (a *API) importCDRs(c *fiber.Ctx) error {
	records, err := decodeCalls(c.Body(), "import")
	if err != nil {
		return err
	}
	for i, r := range records {
		if r.Call == nil {
			return rating.Broken("cdrs", "format", "", "record %d: %s", i+1, r.Detail)
		}
		r.Call.Rated = true
	}
	items := make([]importedCDR, 0, len(records))
	err = a.DB.Update(c.UserContext(), func(tx *storage.Tx) error {
		items = items[:0]
		for i, r := range records {
			call := *r.Call
			v, err := tx.Charge(&call)
			if err != nil {
				return err
			}
			if v.Outcome == rating.OutcomeSuspended {
				return rating.Broken("cdrs", v.Reason, "", "record %d: %s", i+1, v.Detail)
			}
			call.ID = v.ID
			items = append(items, importedCDR{ID: strconv.FormatUint(uint64(v.ID), 10), UUID: tx.CDRUUID(&call.CDR)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": items})
}
