package kazoo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

func cdrRoutes() []route {
	const at = "accounts/:account/cdrs"
	return []route{
		{at, get, endpoint{who: user, run: listCDRs, csv: true}},
		{at + "/interaction", get, endpoint{who: user, run: listCDRs, csv: true}},
		{at + "/summary", get, endpoint{who: user, run: summarizeCDRs}},
		{at + "/legs/:cdr", get, endpoint{who: user, run: readLegs}},
		{at + "/:cdr", get, endpoint{who: user, run: readCDR}},
	}
}

// cdr is a call as Kazoo shows it.
type cdr struct {
	ID            string      `json:"id"`
	CallID        string      `json:"call_id"`
	Timestamp     int64       `json:"timestamp"`
	Unix          int64       `json:"unix_timestamp"`
	ISO           string      `json:"iso_8601"`
	Datetime      string      `json:"datetime"`
	RFC1036       string      `json:"rfc_1036"`
	Direction     string      `json:"direction"`
	From          string      `json:"from"`
	To            string      `json:"to"`
	CallerName    string      `json:"caller_id_name"`
	CallerNumber  string      `json:"caller_id_number"`
	CalleeName    string      `json:"callee_id_name"`
	CalleeNumber  string      `json:"callee_id_number"`
	Dialled       string      `json:"dialed_number"`
	CallingFrom   string      `json:"calling_from"`
	Duration      int64       `json:"duration_seconds"`
	Billing       int64       `json:"billing_seconds"`
	Hangup        string      `json:"hangup_cause"`
	Cost          json.Number `json:"cost"`
	Rate          json.Number `json:"rate"`
	RateName      string      `json:"rate_name"`
	ResellerCost  json.Number `json:"reseller_cost"`
	ResellerType  string      `json:"reseller_call_type"`
	AuthorizingID string      `json:"authorizing_id"`
	OwnerID       string      `json:"owner_id"`
	BridgeID      string      `json:"bridge_id"`
	OtherLeg      string      `json:"other_leg_call_id"`
	Request       string      `json:"request"`
	Interaction   string      `json:"interaction_id"`
	Recordings    []string    `json:"media_recordings"`
}

// cdrID spells a call's id: the month, then its number in 16 hex digits (R16).
func cdrID(c *rating.CDR) string {
	return fmt.Sprintf("%s-%016x", c.Time(rating.CDRTimeStart).UTC().Format("200601"), uint64(c.ID))
}

// newCDR shows a call. A figure that was never made — the call is not priced — is 0, as in Kazoo.
func newCDR(tx *storage.Tx, c *rating.CDR) cdr {
	at := c.Time(rating.CDRTimeStart).UTC()
	id := firstOf(c.CallID(), tx.CDRUUID(c))
	caller := firstOf(c.Text(rating.CDRSrcPrefixIn), c.Text(rating.CDRSrcPrefixRouting))
	callee := firstOf(c.Text(rating.CDRDstPrefixRouting), c.Text(rating.CDRDstPrefixIn))
	v := cdr{ID: cdrID(c), CallID: id, Timestamp: seconds(at), Unix: at.Unix(), ISO: at.Format(time.DateOnly), Datetime: at.Format(time.DateTime),
		RFC1036: at.Format("Mon, 02 Jan 2006 15:04:05 GMT"), Direction: "inbound", From: caller, To: callee,
		CallerName: c.Text(rating.CDRSrcNameIn), CallerNumber: caller, CalleeNumber: callee,
		Dialled: firstOf(c.Text(rating.CDRDstPrefixIn), callee), CallingFrom: caller,
		Duration: c.Int(rating.CDRDuration), Billing: c.Int(rating.CDRCustomerDuration), Hangup: hangupCause(c),
		Cost: number(c.Money(rating.CDRCustomerPrice)), Rate: json.Number(rating.Price(c.Int(rating.CDRDestinationNextRate)).Number()), RateName: c.Text(rating.CDRDestinationPrefix),
		ResellerCost: number(c.Money(rating.CDRVendorPrice)), BridgeID: id, OtherLeg: c.Text(rating.CDRTermCallID), Request: callee,
		Interaction: fmt.Sprintf("%d-%08x", seconds(at), uint32(c.ID)), Recordings: []string{}}
	return v
}

// hangupCause returns why a call ended, in the words of its source.
func hangupCause(c *rating.CDR) string {
	if reason := firstOf(c.Text(rating.CDRInternalDisconnectReason), c.Text(rating.CDRLegaDisconnectReason), c.Text(rating.CDRLegbDisconnectReason)); reason != "" {
		return reason
	}
	if c.Bool(rating.CDRSuccess) {
		return "NORMAL_CLEARING"
	}
	return "UNSPECIFIED"
}

// listCDRs lists the calls that an account paid for, newest first unless the request says ascending.
func listCDRs(x *exchange) (*answer, error) {
	s, err := x.timed()
	if err != nil {
		return nil, err
	}
	first, err := s.number()
	if err != nil {
		return nil, err
	}
	if x.wantsCSV() {
		s.size = 0
	}
	f := filters{tests: queryTests(x.query)}
	if len(f.tests) > maxFilters {
		return nil, invalid("filter", "maximum", "too many filters", "target", maxFilters)
	}
	rows, read := []cdr{}, 0
	err = x.view(func(tx *storage.Tx) error {
		return x.eachCall(tx, s.span, rating.CDRID(first), func(c *rating.CDR) (bool, error) {
			if read++; s.size > 0 && (len(rows) == s.size || read > maxScanned) {
				s.page.next = encodeKey(strconv.FormatUint(uint64(c.ID), 10))
				return false, nil
			}
			if len(rows) == maxCDRs {
				return false, invalid("paginate", "maximum", "too many calls in the range: ask for pages", "target", maxCDRs)
			}
			if row := newCDR(tx, c); len(f.tests) == 0 || f.pass(row) {
				rows = append(rows, row)
			}
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	if x.wantsCSV() {
		return cdrCSV(rows), nil
	}
	s.page.size = len(rows)
	return &answer{data: rows, page: s.page}, nil
}

// eachCall calls fn with the target's calls of a range in the order that the request asks for, from
// the call first on (0: the first), until it returns false. The CDR is reused between calls of fn.
func (x *exchange) eachCall(tx *storage.Tx, s span, first rating.CDRID, fn func(*rating.CDR) (bool, error)) error {
	till := s.to.Truncate(time.Millisecond).Add(time.Millisecond)
	if !x.ascending() {
		below := rating.MakeCDRID(till.UnixMilli(), 0)
		if first != 0 {
			below = min(below, first+1)
		}
		return tx.NewestCallsOf(x.account.ID, s.from.UnixMilli(), below, fn)
	}
	from := s.from
	if first != 0 && time.UnixMilli(first.Milli()).After(from) {
		from = time.UnixMilli(first.Milli())
	}
	scan := tx.Calls([]rating.AccountID{x.account.ID}, from, till)
	var c rating.CDR
	for id, ok := scan.Next(); ok; id, ok = scan.Next() {
		if id < first {
			continue
		}
		if err := tx.CDR(id, &c); err != nil {
			return err
		}
		if more, err := fn(&c); err != nil || !more {
			return err
		}
	}
	return nil
}

// maxCDRs is how many calls one answer may hold.
const maxCDRs = 200_000

func cdrCSV(rows []cdr) *answer {
	t := newSheet("id", "call_id", "timestamp", "unix_timestamp", "iso_8601", "datetime", "direction", "from", "to", "caller_id_name",
		"caller_id_number", "callee_id_number", "dialed_number", "duration_seconds", "billing_seconds", "hangup_cause", "cost", "rate", "rate_name", "reseller_cost")
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	for _, c := range rows {
		t.row(c.ID, c.CallID, n(c.Timestamp), n(c.Unix), c.ISO, c.Datetime, c.Direction, c.From, c.To, c.CallerName, c.CallerNumber, c.CalleeNumber,
			c.Dialled, n(c.Duration), n(c.Billing), c.Hangup, c.Cost.String(), c.Rate.String(), c.RateName, c.ResellerCost.String())
	}
	return t.answer("cdrs")
}

// findCDR finds a call of the target account by its id.
func findCDR(tx *storage.Tx, x *exchange) (v cdr, err error) {
	id := x.params["cdr"]
	if len(id) != 23 {
		return v, unknownID(clip(id))
	}
	n, err := strconv.ParseUint(id[7:], 16, 64)
	if err != nil {
		return v, unknownID(clip(id))
	}
	var c rating.CDR
	err = tx.CDR(rating.CDRID(n), &c)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return v, err
	}
	if err != nil || c.Customer() != x.account.ID || cdrID(&c) != id {
		return v, unknownID(clip(id))
	}
	return newCDR(tx, &c), nil
}

func readCDR(x *exchange) (*answer, error) {
	var v cdr
	err := x.view(func(tx *storage.Tx) (err error) {
		v, err = findCDR(tx, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: v, revision: stored}, nil
}

// readLegs lists the legs of a call; billd keeps one.
func readLegs(x *exchange) (*answer, error) {
	var v cdr
	err := x.view(func(tx *storage.Tx) (err error) {
		v, err = findCDR(tx, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: []cdr{v}}, nil
}

// summarizeCDRs counts the calls of a range.
func summarizeCDRs(x *exchange) (*answer, error) {
	s, err := x.createdRange(maxRange)
	if err != nil {
		return nil, err
	}
	var calls, duration, billed int64
	var cost rating.Money
	err = x.view(func(tx *storage.Tx) error {
		return tx.NewestCallsOf(x.account.ID, s.from.UnixMilli(), rating.MakeCDRID(s.to.UnixMilli()+1, 0), func(c *rating.CDR) (_ bool, err error) {
			calls++
			duration += c.Int(rating.CDRDuration)
			billed += c.Int(rating.CDRCustomerDuration)
			cost, err = cost.Add(c.Money(rating.CDRCustomerPrice))
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{"call_count": calls, "duration_seconds": duration, "billing_seconds": billed, "cost": number(cost)}}, nil
}
