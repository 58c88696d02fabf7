package rating

import (
	"cmp"
	"math/big"
	"math/bits"
	"strconv"
)

// Step is a stretch of a call that is charged whole: Seconds at Price a minute.
type Step struct {
	Seconds uint32
	Price   Price
}

// Terms is what a rate charges for a call.
type Terms struct {
	ConnectFee  Money  // once a call
	First, Next Step   // the first is owed in full, then as many next ones as cover the rest
	FreeSeconds uint32 // after the first step, not charged
	Grace       uint32 // calls of fewer seconds are free
	Surcharge   Fraction
	MinCost     Money // bounds of the net charge, 0 for none
	MaxCost     Money
}

// Bounds of what a rate may say.
const (
	maxRateMajor = 1_000_000_000      // major units, of a fee or a price a minute
	maxSurcharge = 1_000 * 1_000_000  // a thousand times the charge
	maxVAT       = 100 * 1_000_000    // percent; Yeti: vat 0…100
	wholePercent = 100 * 1_000_000    // 100 % as Percent, which VAT is added to
	wholeShare   = 1_000_000          // 1 as Fraction, which the surcharge is added to
	moneyToSum   = 60 * 1_000         // Money in units of the sum: 10⁻⁹ major units, a sixtieth
	netDivisor   = 60 * 1_000_000_000 // sum times surcharge to millionths
)

// Valid checks what a rate may say: steps of at least a second, prices and fees of at most 10⁹
// major units either way, a surcharge of 0 to 1000, cost bounds that leave room between them.
//
// Returns Errors, one for each field that breaks a rule, or nil.
func (t *Terms) Valid() error {
	var es Errors
	limit := strconv.Itoa(maxRateMajor)
	within := func(field, value string, size, most uint64) {
		if size > most {
			es = append(es, Broken(field, "maximum", limit, "%s %s: want -%s to %s", field, value, limit, limit))
		}
	}
	positive := func(field string, seconds uint32) {
		if seconds == 0 {
			es = append(es, Broken(field, "minimum", "1", "%s 0: want at least 1", field))
		}
	}
	bound := func(field string, cost Money) {
		if cost < 0 {
			es = append(es, Broken(field, "minimum", "0", "%s %s: want at least 0", field, cost))
		}
		within(field, cost.String(), magnitude(int64(cost)), maxRateMajor*pow10[moneyDecimals])
	}
	within("connect_fee", t.ConnectFee.String(), magnitude(int64(t.ConnectFee)), maxRateMajor*pow10[moneyDecimals])
	positive("first_seconds", t.First.Seconds)
	within("first_price", t.First.Price.String(), magnitude(int64(t.First.Price)), maxRateMajor*pow10[priceDecimals])
	positive("next_seconds", t.Next.Seconds)
	within("next_price", t.Next.Price.String(), magnitude(int64(t.Next.Price)), maxRateMajor*pow10[priceDecimals])
	if t.Surcharge < 0 {
		es = append(es, Broken("surcharge", "minimum", "0", "surcharge %s: want at least 0", t.Surcharge))
	}
	if t.Surcharge > maxSurcharge {
		es = append(es, Broken("surcharge", "maximum", "1000", "surcharge %s: want at most 1000", t.Surcharge))
	}
	bound("min_cost", t.MinCost)
	bound("max_cost", t.MaxCost)
	if t.MaxCost > 0 && t.MinCost > t.MaxCost {
		es = append(es, Broken("max_cost", "minimum", t.MinCost.String(), "max_cost %s: want at least min_cost, %s", t.MaxCost, t.MinCost))
	}
	return es.Err()
}

// Charge is what a call costs. Billed is in seconds, 0 for a free call; Gross is Net plus Tax.
type Charge struct {
	Billed          int64
	Net, Tax, Gross Money
}

// Charge prices a call of seconds, with vat on top.
//
// The first step is owed in full, then as many next steps as cover what is left after the free
// seconds; the surcharge applies to all of it, the connect fee included, and the cost bounds to the
// result. A call below the grace is free, bounds or not, and so is one of 0 seconds, except under
// PresetPortSIP, where it owes the connect fee. Net and Gross are each rounded once, from the same
// exact sum; Tax is their difference.
// Fails with Invalid if a step is 0 seconds long, the surcharge is negative, vat is not 0 to 100 %
// or f has no such
// preset or mode; Range if the sum leaves Money.
// Source: Yeti billing.bill_cdr, PortSIP's rating rule; vectors in testdata/charge.txt.
func (t *Terms) Charge(seconds uint32, vat Percent, f Formula) (Charge, error) {
	c, _, err := t.charge(seconds, vat, f)
	return c, err
}

// reason says which branch of the formula priced a call.
type reason uint8

const (
	byTheStep reason = iota
	freeGrace
	freeZero
	feeOnly
)

// limited says which cost bound took the place of the sum.
type limited uint8

const (
	unlimited limited = iota
	atMinimum
	atMaximum
)

// outcome is what Explain wants to know of a computation beside its result.
type outcome struct {
	reason  reason
	limited limited
	steps   int64 // next steps charged
}

// charge is Charge with the way it took.
func (t *Terms) charge(seconds uint32, vat Percent, f Formula) (Charge, outcome, error) {
	if t.First.Seconds == 0 || t.Next.Seconds == 0 || t.Surcharge < 0 ||
		vat < 0 || vat > maxVAT || f.Preset-1 >= PresetKazoo || f.Rounding.Mode > RoundHalfAway {
		return Charge{}, outcome{}, t.refuse(vat, f)
	}
	o := outcome{}
	c := Charge{Billed: int64(t.First.Seconds)}
	switch {
	case seconds < t.Grace:
		return Charge{}, outcome{reason: freeGrace}, nil
	case seconds == 0 && f.Preset != PresetPortSIP:
		return Charge{}, outcome{reason: freeZero}, nil
	case seconds == 0:
		o.reason, c.Billed = feeOnly, 0
	default:
		if rest := int64(seconds) - c.Billed - int64(t.FreeSeconds); rest > 0 {
			o.steps = int64(uint32(rest-1)/t.Next.Seconds) + 1 // the quotient rounded up
			c.Billed += o.steps * int64(t.Next.Seconds)
		}
	}
	var ok bool
	if t.small(c.Billed) {
		c.Net, c.Gross, ok = t.settle(&o, vat, f.rounding())
	} else {
		c.Net, c.Gross, ok = t.settleBig(&o, vat, f.rounding())
	}
	if !ok {
		return Charge{}, outcome{}, rangeError("charge for "+strconv.FormatUint(uint64(seconds), 10)+" s", moneyDecimals)
	}
	c.Tax = c.Gross - c.Net
	return c, o, nil
}

// refuse says which argument of charge is wrong.
func (t *Terms) refuse(vat Percent, f Formula) error {
	switch {
	case t.First.Seconds == 0:
		return Broken("first_seconds", "minimum", "1", "first_seconds 0: want at least 1")
	case t.Next.Seconds == 0:
		return Broken("next_seconds", "minimum", "1", "next_seconds 0: want at least 1")
	case t.Surcharge < 0:
		return Broken("surcharge", "minimum", "0", "surcharge %s: want at least 0", t.Surcharge)
	case vat < 0:
		return Broken("vat", "minimum", "0", "vat %s: want at least 0", vat)
	case vat > maxVAT:
		return Broken("vat", "maximum", "100", "vat %s: want at most 100", vat)
	}
	if f.Rounding.Mode > RoundHalfAway {
		return Broken("rounding", "inclusion", "", "rounding mode %d: want 1 to 4", f.Rounding.Mode)
	}
	return Broken("preset", "inclusion", "", "preset %d: want portsip, yeti or kazoo", f.Preset)
}

// small reports whether the sum for billed seconds fits an int64 and its product with surcharge
// and VAT two words: amounts below 2⁴⁵, 35 million, and steps below 2⁶¹, 38 million. Almost
// every call is small.
func (t *Terms) small(billed int64) bool {
	price := magnitude(int64(t.First.Price)) | magnitude(int64(t.Next.Price))
	money := magnitude(int64(t.ConnectFee)) | uint64(t.MinCost) | uint64(t.MaxCost)
	hi, lo := bits.Mul64(price, uint64(billed))
	return hi|lo>>61|money>>45 == 0 && t.Surcharge <= maxSurcharge
}

// settle computes the amounts from two-word products, and notes in o a cost bound that took the
// place of the sum; false if they leave Money. The terms are small.
func (t *Terms) settle(o *outcome, vat Percent, rd Rounding) (net, gross Money, ok bool) {
	// All in 10⁻⁹ major units and sixtieths of them: no division before the end.
	sum := int64(t.ConnectFee) * moneyToSum
	if o.reason == byTheStep {
		later := o.steps * int64(t.Next.Seconds)
		sum += int64(t.First.Seconds)*int64(t.First.Price) + later*int64(t.Next.Price)
	}
	factor := uint64(wholeShare + t.Surcharge)
	size, negative := magnitude(sum), sum < 0
	if t.MinCost|t.MaxCost != 0 {
		switch {
		case t.MinCost > 0 && (negative || compareCost(size, factor, t.MinCost) < 0):
			o.limited, size, negative, factor = atMinimum, uint64(t.MinCost)*moneyToSum, false, wholeShare
		case t.MaxCost > 0 && !negative && compareCost(size, factor, t.MaxCost) > 0:
			o.limited, size, factor = atMaximum, uint64(t.MaxCost)*moneyToSum, wholeShare
		}
	}
	if factor == wholeShare {
		// One word and a constant divisor: most rates have no surcharge.
		net, ok = rd.apply(size/moneyToSum, size%moneyToSum, moneyToSum, negative)
	} else {
		net, ok = rd.share(size, factor, netDivisor, negative)
	}
	if !ok || vat == 0 {
		return net, net, ok
	}
	// The surcharge is below 2³⁰ and VAT below 2²⁸: their product fits a word.
	gross, ok = rd.share(size, factor*uint64(wholePercent+vat), netDivisor*wholePercent, negative)
	return net, gross, ok
}

// compareCost compares size · factor, a sum with surcharge, with a bound.
func compareCost(size, factor uint64, bound Money) int {
	hi, lo := bits.Mul64(size, factor)
	boundHi, boundLo := bits.Mul64(uint64(bound), netDivisor)
	return cmp.Or(cmp.Compare(hi, boundHi), cmp.Compare(lo, boundLo))
}

// share returns size · factor / div, rounded; false if it leaves Money.
func (rd Rounding) share(size, factor, div uint64, negative bool) (Money, bool) {
	hi, lo := bits.Mul64(size, factor)
	if hi >= div {
		return 0, false
	}
	q, rest := bits.Div64(hi, lo, div)
	return rd.apply(q, rest, div, negative)
}

// settleBig is settle for terms that are not small.
func (t *Terms) settleBig(o *outcome, vat Percent, rd Rounding) (net, gross Money, ok bool) {
	mul := func(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }
	sum := mul(int64(t.ConnectFee), moneyToSum)
	if o.reason == byTheStep {
		sum.Add(sum, mul(int64(t.First.Seconds), int64(t.First.Price)))
		sum.Add(sum, mul(o.steps*int64(t.Next.Seconds), int64(t.Next.Price)))
	}
	sum.Mul(sum, big.NewInt(int64(wholeShare+t.Surcharge)))
	least, most := mul(int64(t.MinCost), netDivisor), mul(int64(t.MaxCost), netDivisor)
	switch {
	case t.MinCost > 0 && sum.Cmp(least) < 0:
		o.limited, sum = atMinimum, least
	case t.MaxCost > 0 && sum.Cmp(most) > 0:
		o.limited, sum = atMaximum, most
	}
	if net, ok = rd.shareBig(sum, netDivisor); !ok {
		return 0, 0, false
	}
	sum.Mul(sum, big.NewInt(int64(wholePercent+vat)))
	gross, ok = rd.shareBig(sum, netDivisor*wholePercent)
	return net, gross, ok
}

// shareBig returns sum / div, rounded; false if it leaves Money.
func (rd Rounding) shareBig(sum *big.Int, div uint64) (Money, bool) {
	size := new(big.Int).Abs(sum)
	q, rest := size.QuoRem(size, new(big.Int).SetUint64(div), new(big.Int))
	if !q.IsUint64() {
		return 0, false
	}
	return rd.apply(q.Uint64(), rest.Uint64(), div, sum.Sign() < 0)
}
