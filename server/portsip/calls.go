package portsip

import (
	"math"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// maxCallsRead is how many calls a filter or an order may make a list read, about 1 µs each.
const maxCallsRead = 1_000_000

// The parties that may end a call, as disconnect_initiator_id numbers them. Source: Yeti.
const endedByCaller = 3

// callColumns are the attributes of a call in the order of the wire. Blank texts are "" as in the
// vendor's samples, missing times are null. What billd does not know of a call is blank.
var callColumns = []column[rating.CDR]{
	{"id", text, false, func(c *rating.CDR) value { return textValue(encodeID(uint64(c.ID))) }},
	{"caller", text, true, firstText(rating.CDRSrcPrefixIn, rating.CDRSrcPrefixRouting)},
	{"caller_domain", text, false, firstText(rating.CDRFromDomain)},
	{"caller_display_name", text, true, firstText(rating.CDRSrcNameIn)},
	{"callee", text, true, firstText(rating.CDRDstPrefixIn, rating.CDRDstPrefixRouting)},
	{"callee_domain", text, false, firstText(rating.CDRToDomain, rating.CDRRURIDomain)},
	{"callee_display_name", text, true, firstText()},
	{"started_at", instant, false, timeOf(rating.CDRTimeStart)},
	{"rang_at", instant, false, func(*rating.CDR) value { return value{null: true} }},
	{"answered_at", instant, false, timeOf(rating.CDRTimeConnect)},
	{"ended_at", instant, false, timeOf(rating.CDRTimeEnd)},
	{"call_id", text, false, func(c *rating.CDR) value { return textValue(c.CallID()) }},
	{"direction", text, false, func(*rating.CDR) value { return textValue("OUTBOUND_CALL") }},
	{"end_reason", text, false, endReason},
	{"reroute_reason", text, false, firstText()},
	{"status_code", whole, false, statusCode},
	{"destination", text, true, firstText(rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn)},
	{"outbound_caller_id", text, false, firstText(rating.CDRSrcPrefixOut)},
	{"did_cid", text, false, firstText()},
	{"trunk", text, false, firstText()},
	{"duration", whole, false, func(c *rating.CDR) value { return wholeValue(c.Int(rating.CDRDuration)) }},
	{"service_number", text, false, firstText()},
	{"user_data", text, false, firstText()},
}

// costAfter is the column that cost and billed_account follow in a detail.
const costAfter = "duration"

// firstText reads the first of some columns that is not blank.
func firstText(fields ...rating.CDRField) func(*rating.CDR) value {
	return func(c *rating.CDR) value {
		for _, f := range fields {
			if s := c.Text(f); s != "" {
				return textValue(s)
			}
		}
		return textValue("")
	}
}

func timeOf(f rating.CDRField) func(*rating.CDR) value {
	return func(c *rating.CDR) value { return value{n: c.Int(f), null: !c.Has(f)} }
}

func endReason(c *rating.CDR) value {
	if c.Int(rating.CDRDisconnectInitiatorID) == endedByCaller {
		return textValue("CALLER_DISCONNECTED")
	}
	return textValue("")
}

func statusCode(c *rating.CDR) value {
	if c.Has(rating.CDRLegaDisconnectCode) {
		return wholeValue(c.Int(rating.CDRLegaDisconnectCode))
	}
	return wholeValue(c.Int(rating.CDRInternalDisconnectCode))
}

// appendCall appends a call as a list shows it: without its cost.
func appendCall(dst []byte, c *rating.CDR) []byte {
	return append(appendMembers(append(dst, '{'), c, callColumns), '}')
}

func appendMembers(dst []byte, c *rating.CDR, columns []column[rating.CDR]) []byte {
	for i := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), columns[i].name...), `":`...)
		dst = columns[i].value(c).appendJSON(dst, columns[i].kind)
	}
	return dst
}

// callDetail is a call and who was charged for it.
type callDetail struct {
	cdr    rating.CDR
	billed string
}

// members appends the attributes of a detail but the id: the list's, cost and who paid. The cost of a
// call without a price is null.
func (d *callDetail) members(dst []byte) []byte {
	split := 1
	for callColumns[split-1].name != costAfter {
		split++
	}
	dst = appendMembers(dst, &d.cdr, callColumns[1:split])
	cost := moneyValue(d.cdr.Money(rating.CDRCustomerPrice))
	cost.null = !d.cdr.Has(rating.CDRCustomerPrice)
	dst = cost.appendJSON(append(dst, `,"cost":`...), number)
	dst = appendString(append(dst, `,"billed_account":`...), d.billed)
	return appendMembers(append(dst, ','), &d.cdr, callColumns[split:])
}

// scope returns the accounts whose calls a session sees: an administrator's tenant with its users,
// anybody else's own.
func scope(tx *storage.Tx, s *session) ([]rating.AccountID, error) {
	ids := []rating.AccountID{s.account}
	if !s.admin {
		return ids, nil
	}
	users, err := tx.Children(s.account)
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	return ids, err
}

// own returns the session's account alone.
func own(_ *storage.Tx, s *session) ([]rating.AccountID, error) {
	return []rating.AccountID{s.account}, nil
}

// scoper says whose calls a path is about.
type scoper func(*storage.Tx, *session) ([]rating.AccountID, error)

// listCalls answers GET /api/cdrs and GET /api/calllogs.
func (a *API) listCalls(c *fiber.Ctx, s *session) error { return a.callList(c, s, scope) }

// listOwnCalls answers GET /api/user/cdrs.
func (a *API) listOwnCalls(c *fiber.Ctx, s *session) error { return a.callList(c, s, own) }

func (a *API) callList(c *fiber.Ctx, s *session, whose scoper) error {
	q, err := parseQuery(c, callColumns)
	if err != nil {
		return err
	}
	l := &list[rating.CDR]{q: q}
	err = a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		accounts, err := whose(tx, s)
		if err != nil {
			return err
		}
		return findCalls(tx, l, accounts)
	})
	if err != nil {
		return err
	}
	return sendJSON(c, l.body())
}

// findCalls walks the calls by start, which is the order of their numbers, and only as far as a filter
// on started_at reaches. Calls of one millisecond come in the order they were taken in.
func findCalls(tx *storage.Tx, l *list[rating.CDR], accounts []rating.AccountID) error {
	const first, last = 0, math.MaxInt64 / 4
	from, till := l.q.filter.bounds("started_at", first, last)
	begin, end := time.UnixMicro(from), time.Time{}
	if till < last {
		end = time.UnixMicro(till).Add(time.Millisecond)
	}
	desc, byStart := l.q.orderedBy("started_at")
	scan := tx.Calls(accounts, begin, end)
	if byStart && desc {
		scan = tx.CallsBack(accounts, begin, end)
	}
	l.src = callSource(tx, scan)
	switch {
	case len(l.q.order) > 0 && !byStart:
		return l.sort()
	case !l.q.whole():
		return l.sift()
	}
	if err := l.cut(); err != nil {
		return err
	}
	n, err := tx.CountCalls(accounts)
	l.count = int(n)
	return err
}

func callSource(tx *storage.Tx, scan *storage.CallScan) source[rating.CDR] {
	var at rating.CDRID
	byID := func(id uint64, c *rating.CDR) error { return tx.CDR(rating.CDRID(id), c) }
	return source[rating.CDR]{
		next: func() (ok bool) { at, ok = scan.Next(); return ok },
		id:   func() uint64 { return uint64(at) },
		load: func(c *rating.CDR) error { return byID(uint64(at), c) },
		byID: byID,
		err:  func() error { return nil },
		most: maxCallsRead,
		item: appendCall,
	}
}

// readCall answers GET /api/cdrs/{id}: the call's legs in an array.
func (a *API) readCall(c *fiber.Ctx, s *session) error {
	d, err := a.callOf(c, s, scope)
	if err != nil {
		return err
	}
	return sendJSON(c, append(d.members([]byte(`{"items":[{`)), `}]}`...))
}

// readOwnCall answers GET /api/user/cdrs/{id}: the leg as an object.
func (a *API) readOwnCall(c *fiber.Ctx, s *session) error {
	d, err := a.callOf(c, s, own)
	if err != nil {
		return err
	}
	return sendJSON(c, append(d.members([]byte(`{"items":{`)), `}}`...))
}

// readCallLog answers GET /api/calllogs/{id}: flat, with the id twice, because a call of billd's is a
// session of one leg.
func (a *API) readCallLog(c *fiber.Ctx, s *session) error {
	d, err := a.callOf(c, s, scope)
	if err != nil {
		return err
	}
	id := appendString(nil, encodeID(uint64(d.cdr.ID)))
	b := append(append([]byte(`{"id":`), id...), `,"session_id":`...)
	return sendJSON(c, append(d.members(append(append(b, id...), ',')), '}'))
}

// callOf returns the call that the path names, if the session may see it.
func (a *API) callOf(c *fiber.Ctx, s *session, whose scoper) (*callDetail, error) {
	id, err := decodeID(c.Params("id"))
	if err != nil {
		return nil, err
	}
	none := rating.Errorf(rating.NotFound, "id", "no such call")
	d := &callDetail{}
	err = a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		accounts, err := whose(tx, s)
		if err != nil {
			return err
		}
		if err := tx.CDR(rating.CDRID(id), &d.cdr); rating.KindOf(err) == rating.NotFound && err != nil {
			return none
		} else if err != nil {
			return err
		}
		for _, account := range accounts {
			if d.cdr.Customer() == account {
				payer, err := tx.Accounts.Get(uint64(account))
				if err == nil {
					d.billed = payer.Name
				}
				return err
			}
		}
		return none
	})
	return d, err
}
