package radius

import (
	"cmp"
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/server/ops"
)

// Attributes of vendor 9 in answers. Source: FreeRADIUS, dictionary.cisco.
const (
	ciscoCreditAmount = 101
	ciscoCreditTime   = 102
	ciscoReturnCode   = 103
	ciscoCurrency     = 110
)

// Return codes that Cisco's scripts know. Source: Cisco, Debit Card Application, "Return Codes".
const (
	returnSuccess      = 0
	returnBadAccount   = 1
	returnBadPassword  = 2
	returnInUse        = 3
	returnDenied       = 7
	returnNoService    = 8
	returnBlocked      = 9
	returnBadArgument  = 11
	returnNoMoney      = 12
	returnOtherRefusal = returnDenied
)

// returnCodes are what refusals are called there.
var returnCodes = map[string]int{
	rating.ReasonNoAccount: returnBadAccount, rating.RefusedClosed: returnBadAccount,
	rating.RefusedDisabled: returnDenied, rating.RefusedByAuth: returnDenied, rating.RefusedLength: returnDenied,
	rating.RefusedAuth: returnInUse, rating.RefusedOrigination: returnInUse, rating.RefusedTotal: returnInUse,
	rating.RefusedVendor: returnNoService, rating.RefusedTermination: returnNoService, rating.RefusedVendorMoney: returnNoService, rating.ReasonCurrency: returnNoService,
	rating.ReasonNoRate: returnBlocked, rating.ReasonBlocked: returnBlocked, rating.RefusedRateLimit: returnBlocked,
	rating.ReasonNoNumber: returnBadArgument, rating.ReasonRange: returnBadArgument,
	rating.RefusedBalance: returnNoMoney,
}

func reject(code int, why string) *reply {
	r := &reply{code: codeAccessReject}
	r.cisco(ciscoReturnCode, "h323-return-code", strconv.Itoa(code))
	if why != "" {
		r.add(attrReplyMessage, why)
	}
	return r
}

// access answers whether a call may begin, and for how long; what it may cost is reserved before the answer.
// A request without a number asks for the account alone, as a script does that then asks for the number.
//
// An error means that the store could not be asked: the NAS asks again, or another server.
func (s *Server) access(ctx context.Context, j *job) (*reply, error) {
	if want := j.nas.Password; want != "" && !j.p.password(want, []byte(j.nas.Secret)) {
		return reject(returnBadPassword, "the password is wrong"), nil
	}
	p := cdrformat.NewRadiusPacket(j.p.attrs)
	src, dst := p.Numbers()
	args := ops.AuthorizeArgs{Account: j.nas.Account, IP: j.from.Addr().String(), Src: src, Number: dst, CallID: p.CallID(), Source: j.nas.CallSource()}
	if args.Account == "" && !j.nas.Rules {
		args.Account = p.Text(attrUserName)
	}
	if dst == "" {
		return s.credit(ctx, args.Account)
	}
	if args.CallID == "" { // sent again it is the same; no record will name it, so it expires
		args.CallID = "radius-" + hex.EncodeToString(j.p.authenticator())
	}
	a, err := ops.Authorize(ctx, s.env, args)
	switch kind := rating.KindOf(err); {
	case err == nil:
	case kind == rating.Invalid || kind == rating.Range || kind == rating.Conflict || kind == rating.NotFound:
		return reject(returnBadArgument, err.Error()), nil
	default:
		return nil, err
	}
	if !a.Allowed {
		code, known := returnCodes[*a.Reason]
		if !known {
			code = returnOtherRefusal
		}
		return reject(code, cmp.Or(a.Detail, *a.Reason)), nil
	}
	r := &reply{code: codeAccessAccept}
	r.number(attrSessionTimeout, a.MaxSeconds)
	r.cisco(ciscoCreditTime, "h323-credit-time", strconv.FormatUint(uint64(a.MaxSeconds), 10))
	own := ""
	if a.Reservation != nil {
		own = a.Reservation.Amount
	}
	c, err := ops.CreditOf(ctx, s.env, strconv.FormatUint(a.AccountID, 10), own)
	if err != nil {
		return nil, err
	}
	r.funds(c)
	return r, nil
}

// amount spells money with all places of its currency, and no more: a script reads it to the caller.
func amount(m rating.Money, c rating.Currency) string {
	places := c.MinorUnits()
	whole, fraction, _ := strings.Cut(m.Truncate(places).String(), ".")
	if places == 0 {
		return whole
	}
	return whole + "." + (fraction + "000000")[:places]
}

// credit answers for an account alone: accepted while there is something to spend.
func (s *Server) credit(ctx context.Context, account string) (*reply, error) {
	if account == "" {
		return reject(returnBadArgument, "the request has neither Called-Station-Id nor User-Name"), nil
	}
	c, err := ops.CreditOf(ctx, s.env, account, "")
	switch {
	case rating.KindOf(err) == rating.NotFound:
		return reject(returnBadAccount, err.Error()), nil
	case err != nil:
		return nil, err
	case c.Disabled:
		return reject(returnDenied, "the account is switched off"), nil
	case c.Limited && c.Left <= 0:
		return reject(returnNoMoney, "the account has no credit left"), nil
	}
	r := &reply{code: codeAccessAccept}
	r.funds(c)
	return r, nil
}

// funds says what the account may still spend, in its currency; of one without a floor there is nothing to say.
func (r *reply) funds(c *ops.Credit) {
	r.cisco(ciscoReturnCode, "h323-return-code", strconv.Itoa(returnSuccess))
	if c.Limited {
		r.cisco(ciscoCreditAmount, "h323-credit-amount", amount(c.Left, c.Currency))
	}
	r.cisco(ciscoCurrency, "h323-currency", c.Currency.String())
}
