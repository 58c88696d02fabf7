package rating

import (
	"fmt"
	"math/big"
	"strings"
)

// ChargeStep is a line of an explained charge. Amount is plain decimal text, exact; one that never
// ends, as thirds do, is cut after 12 decimals and ends in "…".
type ChargeStep struct{ Text, Amount string }

// Explain prices a call as Charge does, and says how.
//
// The steps are those the computation took: the amounts down to the rounding add up to the exact
// sum, then come net, VAT and gross. currency is only written beside prices; it may be not set.
// Fails as Charge does.
func (t *Terms) Explain(seconds uint32, vat Percent, f Formula, currency Currency) (Charge, []ChargeStep, error) {
	c, o, err := t.charge(seconds, vat, f)
	if err != nil {
		return Charge{}, nil, err
	}
	switch o.reason {
	case freeGrace:
		return c, []ChargeStep{{fmt.Sprintf("%d s, below the grace of %d s: free", seconds, t.Grace), "0.0"}}, nil
	case freeZero:
		return c, []ChargeStep{{"0 s: free", "0.0"}}, nil
	}
	e := explanation{unit: "a minute"}
	if currency.IsSet() {
		e.unit = currency.String() + " a minute"
	}
	t.explainSum(&e, o)
	rd := f.rounding()
	e.say(fmt.Sprintf("net, rounded %s to %d decimals", rd.verb(), rd.places()), c.Net.String())
	if vat != 0 {
		e.say(fmt.Sprintf("gross, with VAT of %s %%, rounded likewise from the exact net", vat.Number()), c.Gross.String())
		e.say("tax, gross less net", c.Tax.String())
	}
	return c, e.steps, nil
}

// verb returns the mode as a rounding word: RoundNone keeps 6 decimals, half away from zero.
func (rd Rounding) verb() string {
	if rd.Mode == RoundNone {
		return RoundHalfAway.String()
	}
	return rd.Mode.String()
}

// explanation gathers steps and the exact sum so far.
type explanation struct {
	unit  string
	steps []ChargeStep
	sum   big.Rat
}

func (e *explanation) say(text, amount string) {
	e.steps = append(e.steps, ChargeStep{Text: text, Amount: amount})
}

// add says text with amount and adds it to the sum.
func (e *explanation) add(text string, amount *big.Rat) {
	e.sum.Add(&e.sum, amount)
	e.say(text, exactText(amount))
}

// explainSum says what makes up the exact sum that o came to.
func (t *Terms) explainSum(e *explanation, o outcome) {
	if t.ConnectFee != 0 || o.reason == feeOnly {
		text := "connect fee"
		if o.reason == feeOnly {
			text = "0 s: connect fee only"
		}
		e.add(text, big.NewRat(int64(t.ConnectFee), wholeShare))
	}
	if o.reason == byTheStep {
		e.add(fmt.Sprintf("first %d s at %s %s", t.First.Seconds, t.First.Price.Number(), e.unit), t.First.cost(1))
		if t.FreeSeconds > 0 {
			e.say(fmt.Sprintf("up to %d s free after the first step", t.FreeSeconds), "0.0")
		}
		if o.steps > 0 {
			e.add(fmt.Sprintf("next %d × %d s at %s %s", o.steps, t.Next.Seconds, t.Next.Price.Number(), e.unit), t.Next.cost(o.steps))
		}
	}
	if t.Surcharge != 0 {
		share := big.NewRat(int64(t.Surcharge), wholeShare)
		e.add("surcharge of "+t.Surcharge.Number()+" on all of it", share.Mul(share, &e.sum))
	}
	switch o.limited {
	case atMinimum:
		e.say("minimum cost, in place of "+exactText(&e.sum), t.MinCost.String())
	case atMaximum:
		e.say("maximum cost, in place of "+exactText(&e.sum), t.MaxCost.String())
	}
}

// cost returns what count steps cost, exactly.
func (s Step) cost(count int64) *big.Rat {
	seconds := new(big.Int).Mul(big.NewInt(int64(s.Seconds)), big.NewInt(count))
	cost := big.NewRat(int64(s.Price), 60*int64(pow10[priceDecimals]))
	return cost.Mul(cost, new(big.Rat).SetInt(seconds))
}

// exactText writes x with as many decimals as it has and at least one, or 12 and "…" if it never
// ends.
func exactText(x *big.Rat) string {
	const cut = 12
	places, ends := x.FloatPrec()
	if ends {
		return x.FloatString(max(places, 1))
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(cut), nil)
	units := new(big.Int).Mul(x.Num(), ten)
	units.Quo(units, x.Denom()) // towards zero, where FloatString would round
	whole, fraction := new(big.Int).QuoRem(new(big.Int).Abs(units), ten, new(big.Int))
	digits := fraction.String()
	text := whole.String() + "." + strings.Repeat("0", cut-len(digits)) + digits + "…"
	if x.Sign() < 0 {
		return "-" + text
	}
	return text
}
