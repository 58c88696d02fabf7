package rating

import "math/bits"

// Exact reports whether no charge of t, before VAT, has more than so many decimals: rounding it to them then
// changes nothing, whichever way. Terms with a surcharge are never said to be.
func (t *Terms) Exact(places int) bool {
	if places < 0 || t.Surcharge != 0 {
		return false
	}
	unit := 60 * pow10[priceDecimals-min(places, priceDecimals)] // a charge is a sum in 10⁻⁹ major units, a sixtieth of them
	whole := func(a, b uint64) bool {
		hi, lo := bits.Mul64(a, b)
		return bits.Rem64(hi, lo, unit) == 0
	}
	for _, s := range [...]Step{t.First, t.Next} {
		if !whole(uint64(s.Seconds), magnitude(int64(s.Price))) {
			return false
		}
	}
	for _, m := range [...]Money{t.ConnectFee, t.MinCost, t.MaxCost} {
		if !whole(moneyToSum, magnitude(int64(m))) {
			return false
		}
	}
	return true
}
