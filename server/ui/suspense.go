package ui

import (
	"net/url"
	"strconv"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// suspenseList is the page of calls that wait for an answer.
type suspenseList struct {
	Reason  string
	Reasons []reason
	Total   int
	Rows    []heldRow
	Next    string
}

// reason is why calls wait, and what an operator does about it.
type reason struct{ Code, Text, Remedy string }

// reasons are all of them, the commonest first.
func reasons() []reason {
	return []reason{
		{rating.ReasonNoRate, "No rate matches the number", "add the rate (billd import-rates), then billd suspense retry"},
		{rating.ReasonNoAccount, "Nobody can be told to pay", "make the account or name it in the record, then billd suspense retry"},
		{rating.ReasonBlocked, "The prefix is blocked", "allow the prefix, then billd suspense retry"},
		{rating.ReasonCurrency, "Deck and account differ in currency", "give the account a deck in its currency, then billd suspense retry"},
		{rating.ReasonConflict, "The call id is taken by other content", "compare both records; billd suspense drop removes the wrong one"},
		{rating.ReasonBadTime, "A time that no call can have", "have the switch send it again with the right time"},
		{rating.ReasonBadRecord, "A column that cannot be read", "have the switch send it again"},
		{rating.ReasonNoNumber, "The dialled number is missing", "have the switch send it again with the number"},
		{rating.ReasonRange, "The price leaves what an amount can be", "correct the rate, then billd suspense retry"},
	}
}

// heldRow is a suspended call as the list shows it.
type heldRow struct {
	*storage.Suspended
	Ago  string
	Text string // the reason in words
	To   string
	Src  string
	Sec  int64
	Has  bool // the call's columns could be read
}

func (u *UI) suspense(c *fiber.Ctx, s *session) error {
	l := suspenseList{Reason: c.Query("reason"), Reasons: reasons()}
	below, err := number(c, "before")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		l.Total = tx.Suspense.Count()
		return l.read(c, tx, below)
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "suspense", page{Title: "Suspense", Nav: "suspense", Data: l})
}

func (l *suspenseList) read(c *fiber.Ctx, tx *storage.Tx, below uint64) error {
	return tx.NewestSuspended(below, func(h *storage.Suspended) (bool, error) {
		if l.Reason != "" && h.Reason != l.Reason {
			return true, c.UserContext().Err()
		}
		if len(l.Rows) == pageRows {
			l.Next = again("/suspense", url.Values{"reason": {l.Reason}}, "before", strconv.FormatUint(h.ID+1, 10))
			return false, nil
		}
		row := heldRow{Suspended: h, Ago: talkSince(tx.Now(), h.At), Text: reasonText(h.Reason)}
		var call rating.Call
		has, err := h.Read(&call)
		if err != nil {
			return false, err
		}
		if has {
			row.Has, row.Sec = true, call.Int(rating.CDRDuration)
			row.To = firstText(&call.CDR, rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn)
			row.Src = firstText(&call.CDR, rating.CDRSrcPrefixRouting, rating.CDRSrcPrefixIn)
		}
		l.Rows = append(l.Rows, row)
		return true, nil
	})
}

func reasonText(code string) string {
	for _, r := range reasons() {
		if r.Code == code {
			return r.Text
		}
	}
	return code
}

// Remedy is what can be done about the reason that the page is filtered by.
func (l suspenseList) Remedy() string {
	for _, r := range l.Reasons {
		if r.Code == l.Reason {
			return r.Remedy
		}
	}
	return ""
}
