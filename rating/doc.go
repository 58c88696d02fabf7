// Package rating holds the nouns that a charge, a posting or an invoice line mentions, and what is
// done with them: prices, rates, calls, accounts, charges.
//
// It imports the standard library and nothing else, so that what a call costs can be read and
// tested without a store, a server or a dialect.
//
// Money, Price, Percent and Fraction are whole numbers of small units, never floating point. They
// do not mix: a Price per minute becomes Money only through Terms.Charge, which is the only place
// that rounds a call. docs/charging.md works the arithmetic through.
//
// A call of 61 seconds at 0.50 a minute for the first minute, then 0.25 in half minutes, with a
// connect fee of 0.05 and 23 % VAT:
//
//	terms := rating.Terms{
//		ConnectFee: 50_000,                                        // 0.05
//		First:      rating.Step{Seconds: 60, Price: 500_000_000}, // 0.50 a minute
//		Next:       rating.Step{Seconds: 30, Price: 250_000_000}, // 0.25 a minute
//	}
//	formula := rating.Formula{Preset: rating.PresetYeti, Rounding: rating.PresetYeti.Rounding()}
//	charge, err := terms.Charge(61, 23_000_000, formula)
//	// charge: 90 s billed, net 0.675, tax 0.15525, gross 0.83025
package rating
