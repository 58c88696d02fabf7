package rating

import "math"

// Preset says what a rate of a deck means where its dialect cannot say it.
type Preset uint8

// The presets. They differ in the rounding and in what an answered call of 0 seconds owes.
const (
	PresetPortSIP Preset = 1 + iota // half away from zero at 5 places; 0 seconds owe the connect fee
	PresetYeti                      // 6 places half away unless the settings say otherwise; 0 seconds are free
	PresetKazoo                     // truncated to 4 places; 0 seconds are free
)

var presetNames = [...]string{PresetPortSIP: "portsip", PresetYeti: "yeti", PresetKazoo: "kazoo"}

// ParsePreset reads portsip, yeti or kazoo. Fails with Invalid, rule inclusion.
func ParsePreset(s string) (Preset, error) {
	for p, name := range presetNames {
		if name != "" && name == s {
			return Preset(p), nil
		}
	}
	return 0, Broken("preset", "inclusion", "", "preset %s: want portsip, yeti or kazoo", quoteShort(s))
}

// String returns the name that ParsePreset reads, "" for none.
func (p Preset) String() string {
	if int(p) < len(presetNames) {
		return presetNames[p]
	}
	return ""
}

// MarshalText returns the name.
func (p Preset) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what ParsePreset reads, with its errors.
func (p *Preset) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePreset(string(text))
	return err
}

// Rounding returns how the preset rounds a charge.
func (p Preset) Rounding() Rounding {
	switch p {
	case PresetPortSIP:
		return Rounding{Mode: RoundHalfAway, Places: 5}
	case PresetKazoo:
		return Rounding{Mode: RoundDown, Places: 4}
	}
	return Rounding{Mode: RoundNone, Places: 5} // Yeti's precision, should the mode ever ask for it
}

// RoundMode is how a charge is rounded, numbered as Yeti's price modes.
type RoundMode uint8

// The modes. Charges are Money, so RoundNone keeps 6 places, rounding the seventh half away from zero.
const (
	RoundNone     RoundMode = 1 + iota // 6 places, whatever Places says
	RoundUp                            // cut, then one unit more if anything positive was cut: -0.12345 is -0.1234
	RoundDown                          // cut, towards zero
	RoundHalfAway                      // to the nearest, halves away from zero
)

var roundNames = [...]string{RoundNone: "no rounding", RoundUp: "up", RoundDown: "down", RoundHalfAway: "half away from zero"}

// String returns the mode in words, "" for none.
func (m RoundMode) String() string {
	if int(m) < len(roundNames) {
		return roundNames[m]
	}
	return ""
}

// Rounding is a mode and the decimals that it leaves. More than 6 places act as 6.
type Rounding struct {
	Mode   RoundMode
	Places uint8
}

// places returns the decimals that rd leaves.
func (rd Rounding) places() int {
	if rd.Mode == RoundNone {
		return moneyDecimals
	}
	return min(int(rd.Places), moneyDecimals)
}

// apply rounds the amount of q millionths and rest/div of one, of the given sign; false if the
// result leaves Money. div is even, and rest is below it.
func (rd Rounding) apply(q, rest, div uint64, negative bool) (Money, bool) {
	unit := pow10[moneyDecimals-rd.places()]
	cut, half := rest, div/2
	if unit > 1 {
		// rest is less than a millionth and half a unit is whole millionths: rest cannot tip a half.
		low := q % unit
		q -= low
		half = unit / 2
		if cut = low; rd.Mode == RoundUp && rest != 0 {
			cut = max(low, 1)
		}
	}
	switch rd.Mode {
	case RoundUp:
		if !negative && cut != 0 {
			q += unit
		}
	case RoundNone, RoundHalfAway:
		if cut >= half {
			q += unit
		}
	}
	if q > maxFixed {
		return 0, false
	}
	if negative {
		return -Money(q), true
	}
	return Money(q), true
}

// Formula is what a deck adds to the terms of its rates. A zero Rounding is the preset's.
type Formula struct {
	Preset   Preset
	Rounding Rounding
}

// Formula returns how a deck of the preset charges under the settings' rounding, which only Yeti's takes.
func (p Preset) Formula(setting Rounding) Formula {
	if p == PresetYeti && setting.Mode != 0 {
		return Formula{p, setting}
	}
	return Formula{Preset: p}
}

// InForce returns the rounding that f charges by, with the places that it leaves.
func (f Formula) InForce() Rounding {
	rd := f.rounding()
	rd.Places = uint8(rd.places())
	return rd
}

// rounding returns the rounding in force.
func (f Formula) rounding() Rounding {
	if f.Rounding.Mode == 0 {
		return f.Preset.Rounding()
	}
	return f.Rounding
}

// DurationMode is how talk time becomes whole seconds, numbered as Yeti's duration modes.
type DurationMode uint8

// The duration modes.
const (
	DurationNearest DurationMode = 1 + iota // to the nearest second, halves to the even one
	DurationDown                            // the seconds completed
	DurationUp                              // the seconds begun
)

// WholeSeconds returns a talk time of micros microseconds in whole seconds. A negative time is 0;
// a mode other than the three acts as DurationNearest, which is Yeti's default.
func WholeSeconds(micros int64, mode DurationMode) uint32 {
	const second, half = 1_000_000, 500_000
	if micros <= 0 {
		return 0
	}
	whole, rest := micros/second, micros%second
	switch mode {
	case DurationDown:
	case DurationUp:
		if rest > 0 {
			whole++
		}
	default:
		if rest > half || rest == half && whole%2 == 1 {
			whole++
		}
	}
	return uint32(min(whole, math.MaxUint32))
}
