package rating

import "strings"

// Currency is an ISO 4217 code in capitals. The zero Currency is not set.
type Currency [3]byte

// currencies lists the codes of ISO 4217, those withdrawn since 2014 included, because history is
// imported in the currency it was billed in.
// Source: ISO 4217 list one, amendment 179; list three for the withdrawn.
const currencies = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BYR BZD " +
	"CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR " +
	"RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS " +
	"UAH UGX USD USN UYI UYU UYW UZS VED VEF VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX " +
	"YER ZAR ZMW ZWG ZWL"

// The currencies whose minor unit is not a hundredth. Source: ISO 4217 list one.
const (
	noMinorUnit     = "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	threeMinorUnits = "BHD IQD JOD KWD LYD OMR TND"
	fourMinorUnits  = "CLF UYW"
)

// ParseCurrency reads an ISO 4217 code, in either case, blanks around it.
//
// Fails with Invalid, rule currency, if ISO 4217 has no such code.
func ParseCurrency(s string) (Currency, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if !listed(currencies, code) {
		return Currency{}, Broken("currency", "currency", "", "currency %s: want an ISO 4217 code such as EUR", quoteShort(s))
	}
	return Currency([]byte(code)), nil
}

// listed reports whether list, codes of three letters with a blank between them, holds code.
func listed(list, code string) bool {
	i := strings.Index(list, code)
	return i >= 0 && i%4 == 0 && len(code) == 3
}

// IsSet reports whether c names a currency.
func (c Currency) IsSet() bool { return c != Currency{} }

// String returns the code, "" when not set.
func (c Currency) String() string {
	if !c.IsSet() {
		return ""
	}
	return string(c[:])
}

// MinorUnits returns how many decimals amounts on paper have: EUR 2, JPY 0, KWD 3. It is 2 for
// what ISO 4217 gives none, such as gold, and when not set.
func (c Currency) MinorUnits() int {
	switch code := string(c[:]); {
	case listed(noMinorUnit, code):
		return 0
	case listed(threeMinorUnits, code):
		return 3
	case listed(fourMinorUnits, code):
		return 4
	}
	return 2
}

// MarshalText returns the code, empty when not set.
func (c Currency) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what ParseCurrency reads, with its errors; the empty text is not set.
func (c *Currency) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*c = Currency{}
		return nil
	}
	*c, err = ParseCurrency(string(text))
	return err
}
