package native

import (
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// Page sizes of the lists that walk.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// limit reads ?limit=.
func limit(c *fiber.Ctx) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, rating.Broken("limit", "range", strconv.Itoa(maxLimit), "limit %q: want 1 to %d", clip(text), maxLimit)
	}
	return n, nil
}

func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// page reads ?after=, 0 when it is not given, and ?limit= of a list that walks.
func page(c *fiber.Ctx) (after uint64, n int, err error) {
	if n, err = limit(c); err != nil {
		return 0, 0, err
	}
	if text := c.Query("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 63); err != nil {
			return 0, 0, rating.Broken("after", "format", "", "after %q: want the next of an earlier answer", clip(text))
		}
	}
	return after, n, nil
}

// listed answers with a page of records by number: list returns at most n of them from a number on.
func listed[T any](c *fiber.Ctx, id func(*T) string, list func(from uint64, n int) ([]T, error)) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	items, err := list(after+1, n)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": items, "next": nextOf(items, id, after)})
}

// nextOf returns what ?after= is for the page behind items.
func nextOf[T any](items []T, id func(*T) string, after uint64) string {
	if len(items) == 0 {
		return strconv.FormatUint(after, 10)
	}
	return id(&items[len(items)-1])
}

// id reads a decimal path parameter.
func id(c *fiber.Ctx, noun string) (uint64, error) {
	n, err := strconv.ParseUint(c.Params("id"), 10, 63)
	if err != nil {
		return 0, rating.Broken("id", "format", "", "%s %q: want a decimal number", noun, clip(c.Params("id")))
	}
	return n, nil
}

// cdrDocument renders a call: every column that is set under its snake_case name, money as text.
func cdrDocument(tx *storage.Tx, cdr *rating.CDR) (json.RawMessage, error) {
	b := append([]byte(`{"id":"`), strconv.FormatUint(uint64(cdr.ID), 10)...)
	b = append(b, `","status":"`...)
	b = append(b, cdr.Status.String()...)
	b = append(b, `","origin":"`...)
	b = append(b, cdr.Origin.String()...)
	b = append(b, `","revision":`...)
	b = strconv.AppendUint(b, uint64(cdr.Revision), 10)
	for f := rating.CDRField(0); int(f) < rating.NumCDRFields; f++ {
		if f == rating.CDRUUID || !cdr.Has(f) {
			continue
		}
		b = append(append(append(b, `,"`...), f.Name()...), `":`...)
		switch f.Kind() {
		case rating.KindInt, rating.KindBool, rating.KindInts, rating.KindJSON:
			b = append(b, cdr.Format(f)...)
		case rating.KindFloat:
			b = append(b, rating.Money(cdr.Int(f)).Number()...)
		default:
			text, err := json.Marshal(cdr.Format(f))
			if err != nil {
				return nil, err
			}
			b = append(b, text...)
		}
	}
	b = append(append(append(b, `,"uuid":"`...), tx.CDRUUID(cdr)...), `"}`...)
	return b, nil
}

// listCDRs walks the calls in the order they were taken in: ?after=CURSOR from the last answer's next.
func (a *API) listCDRs(c *fiber.Ctx) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	items, last := []json.RawMessage{}, after
	err = a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		var cdr rating.CDR
		return tx.EachLogged(after+1, func(seq uint64, number rating.CDRID) (bool, error) {
			if err := tx.CDR(number, &cdr); err != nil {
				return false, err
			}
			doc, err := cdrDocument(tx, &cdr)
			items, last = append(items, doc), seq
			return len(items) < n, err
		})
	})
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": items, "next": strconv.FormatUint(last, 10)})
}

// showCDR answers one call.
func (a *API) showCDR(c *fiber.Ctx) error {
	n, err := id(c, "cdr")
	if err != nil {
		return err
	}
	var doc json.RawMessage
	err = a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		var cdr rating.CDR
		if err := tx.CDR(rating.CDRID(n), &cdr); err != nil {
			return err
		}
		doc, err = cdrDocument(tx, &cdr)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(doc)
}

// accountDocument is an account with its balance, without secrets.
type accountDocument struct {
	ID         uint64 `json:"id"`
	UUID       string `json:"uuid"`
	Name       string `json:"name"`
	Contractor uint64 `json:"contractor_id"`
	Parent     uint64 `json:"parent_id"`
	Balance    string `json:"balance"`
	Currency   string `json:"currency"`
	VAT        string `json:"vat"`
	Timezone   string `json:"timezone"`
	RatePlan   uint64 `json:"rateplan_id"`
	MinBalance string `json:"min_balance"`
	Reserved   string `json:"reserved"` // by calls that are authorised and not charged yet
}

func accountView(tx *storage.Tx, a *rating.Account) (accountDocument, error) {
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return accountDocument{}, err
	}
	reserved, err := tx.ReservedAmount(a)
	return accountDocument{uint64(a.ID), a.UUID.String(), a.Name, a.Contractor, uint64(a.Parent), balance.String(), a.Currency.String(),
		a.VAT.String(), a.Timezone, a.RatePlan, a.MinBalance.String(), reserved.String()}, err
}

// listAccounts walks the open accounts by number.
func (a *API) listAccounts(c *fiber.Ctx) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	items := []accountDocument{}
	err = a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		return tx.Accounts.Each(after+1, func(acc *rating.Account) (bool, error) {
			if acc.Closed() {
				return true, nil
			}
			doc, err := accountView(tx, acc)
			items, after = append(items, doc), doc.ID
			return len(items) < n, err
		})
	})
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": items, "next": strconv.FormatUint(after, 10)})
}

// showAccount answers one account; its number, UUID or name may stand in the path.
func (a *API) showAccount(c *fiber.Ctx) error {
	var doc accountDocument
	err := a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		acc, err := tx.AccountByRef(c.Params("id"))
		if err != nil {
			return err
		}
		doc, err = accountView(tx, acc)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(doc)
}
