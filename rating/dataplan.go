package rating

import (
	"fmt"
	"math/bits"
)

// DataCount says which octets of a subscription are counted.
type DataCount uint8

// What is counted.
const (
	CountTotal DataCount = iota
	CountDown
	CountUp
)

var dataCounts = [...]string{CountTotal: "total", CountDown: "down", CountUp: "up"}

// String returns the word.
func (c DataCount) String() string { return dataCounts[min(int(c), len(dataCounts)-1)] }

// MarshalText returns the word.
func (c DataCount) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the word.
func (c *DataCount) UnmarshalText(text []byte) error {
	for i, word := range dataCounts {
		if string(text) == word {
			*c = DataCount(i)
			return nil
		}
	}
	return Broken("count", "inclusion", "", "count %s: want total, down or up", quoteShort(string(text)))
}

// Of returns how many of the octets count.
func (c DataCount) Of(o Octets) uint64 {
	switch c {
	case CountDown:
		return o.Down
	case CountUp:
		return o.Up
	}
	return o.Total()
}

// DataPlan is what data costs: a price for each started unit and, beyond an allowance, another. What it
// says never changes once subscriptions are on it: a new price is a new plan.
type DataPlan struct {
	ID        uint64    `json:"id"`
	Name      string    `json:"name"`
	Currency  Currency  `json:"currency"`
	Unit      ByteUnit  `json:"unit"`
	Price     Money     `json:"price"`     // net, of each started unit up to the allowance, or of all of them without one
	Allowance Bytes     `json:"allowance"` // of each period; 0: none
	Overage   Money     `json:"overage"`   // net, of each started unit beyond the allowance
	Count     DataCount `json:"count"`
	Period    PeriodID  `json:"period"` // days, weeks or months, each with the whole allowance
}

// Bounds of a plan.
const (
	maxPlanName  = 100                // bytes
	maxUnitPrice = Money(1e9) * 1e6   // as of a rate's money, R1
	maxAllowance = Bytes(1_000) << 50 // an exbibyte, about
)

// Valid checks a plan as it is made.
func (p *DataPlan) Valid() error {
	switch {
	case p.Name == "" || len(p.Name) > maxPlanName:
		return Broken("name", "length", "100", "name: want 1 to 100 bytes")
	case !p.Currency.IsSet():
		return Broken("currency", "required", "", "currency: want one")
	case !p.Unit.Valid():
		return Broken("unit", "inclusion", "", "unit: want MB, GB, TB, MiB, GiB or TiB")
	case p.Price < 0 || p.Price > maxUnitPrice:
		return Broken("price", "range", "", "price %s: want 0 to %s", p.Price, maxUnitPrice)
	case p.Overage < 0 || p.Overage > maxUnitPrice:
		return Broken("overage", "range", "", "overage %s: want 0 to %s", p.Overage, maxUnitPrice)
	case p.Allowance > maxAllowance:
		return Broken("allowance", "maximum", "", "allowance %s: want at most 1000 PiB", p.Allowance.In(TiB))
	case p.Allowance == 0 && p.Overage != 0:
		return Broken("overage", "unused", "", "overage %s: there is no allowance that could be passed", p.Overage)
	case int(p.Count) >= len(dataCounts):
		return Broken("count", "inclusion", "", "count: want total, down or up")
	case p.Period != PeriodDaily && p.Period != PeriodWeekly && p.Period != PeriodMonthly:
		return Broken("period", "inclusion", "", "period: want day, week or month")
	}
	return nil
}

// DataCharge is what the octets of one period cost.
type DataCharge struct {
	Inside uint64 `json:"inside"` // started units up to the allowance, or all of them without one
	Over   uint64 `json:"over"`   // started units beyond it
	Net    Money  `json:"net"`
}

// Units is every unit that was started.
func (c DataCharge) Units() uint64 { return c.Inside + c.Over }

// Charge prices the octets of one period: those up to the allowance and those beyond it in started units
// of their own, each at its price. It grows with the octets and never falls. Nothing is rounded: a whole
// number of units costs a whole number of millionths.
//
// Fails with Range if the amount leaves Money.
func (p *DataPlan) Charge(counted uint64) (c DataCharge, err error) {
	inside, over := counted, uint64(0)
	if p.Allowance > 0 && inside > uint64(p.Allowance) {
		inside, over = uint64(p.Allowance), counted-uint64(p.Allowance)
	}
	c.Inside, c.Over = started(inside, p.Unit.Size()), started(over, p.Unit.Size())
	for _, part := range [...]struct {
		units uint64
		price Money
	}{{c.Inside, p.Price}, {c.Over, p.Overage}} {
		hi, lo := bits.Mul64(part.units, uint64(part.price))
		if hi != 0 || lo > uint64(MaxMoney) {
			return c, rangeError("charge for "+Bytes(counted).In(p.Unit), moneyDecimals)
		}
		if c.Net, err = c.Net.Add(Money(lo)); err != nil {
			return c, err
		}
	}
	return c, nil
}

// started returns how many units n bytes begin.
func started(n, size uint64) uint64 {
	if n == 0 {
		return 0
	}
	return (n-1)/size + 1
}

// Explain prices as Charge does and says how; the amounts of the steps add up to the last one.
func (p *DataPlan) Explain(counted uint64) (DataCharge, []ChargeStep, error) {
	c, err := p.Charge(counted)
	if err != nil {
		return c, nil, err
	}
	say := func(units uint64, price Money, what string) ChargeStep {
		return ChargeStep{fmt.Sprintf("%d started %s %s at %s %s a %s", units, p.Unit, what, price.Number(), p.Currency, p.Unit), mulText(units, price)}
	}
	steps := []ChargeStep{{Text: Bytes(counted).In(p.Unit) + " counted, " + p.Count.String() + "; " + p.Unit.Definition(), Amount: "0.0"}}
	switch {
	case p.Allowance == 0:
		steps = append(steps, say(c.Inside, p.Price, "used"))
	case p.Price == 0:
		steps = append(steps, ChargeStep{"up to " + p.Allowance.In(p.Unit) + " a " + p.Period.Word() + " included", "0.0"})
	default:
		steps = append(steps, say(c.Inside, p.Price, "up to "+p.Allowance.In(p.Unit)))
	}
	if p.Allowance > 0 {
		steps = append(steps, say(c.Over, p.Overage, "beyond it"))
	}
	return c, append(steps, ChargeStep{"net", c.Net.String()}), nil
}

// mulText is a product that Charge found to be Money.
func mulText(units uint64, price Money) string { return Money(units * uint64(price)).String() }

// Terms says what the plan costs, in a line: what subscribers and papers read.
func (p *DataPlan) Terms() string {
	each := func(price Money) string {
		return price.Number() + " " + p.Currency.String() + " a started " + p.Unit.String()
	}
	switch {
	case p.Allowance == 0:
		return each(p.Price)
	case p.Price == 0:
		return p.Allowance.In(p.Unit) + " a " + p.Period.Word() + " included, then " + each(p.Overage)
	}
	return each(p.Price) + " up to " + p.Allowance.In(p.Unit) + " a " + p.Period.Word() + ", then " + each(p.Overage)
}
