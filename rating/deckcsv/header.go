package deckcsv

import (
	"slices"
	"strings"
	"unicode"
)

// heading is what one header cell can mean.
type heading struct {
	text      string
	can       []meaning
	extra     string
	perSecond bool   // a price per second
	cents     bool   // money in hundredths
	minutes   bool   // an interval in minutes
	currency  string // ISO 4217
	notMinute string // what a price is for, when not time: msg, call
}

// normal returns the letters and digits of a header in lower case.
func normal(header string) string {
	return strings.Join(wordsOf(header), "")
}

func wordsOf(header string) []string {
	return strings.FieldsFunc(strings.ToLower(header), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// units that a header may name beside its field; they are not part of it.
var (
	secondWords   = []string{"sec", "secs", "second", "seconds", "persec", "persecond"}
	minuteWords   = []string{"min", "mins", "minute", "minutes", "permin", "perminute"}
	centWords     = []string{"cent", "cents", "ct", "cts", "pence"}
	otherUnits    = []string{"msg", "msgs", "message", "messages", "sms", "mms", "call", "month", "mb", "gb"}
	fillerWords   = []string{"per", "in", "the", "of", "a"}
	currencyWords = map[string]string{"dollar": "", "dollars": "", "euro": "EUR", "euros": "EUR", "rand": "ZAR"}
)

// readHeading finds what a header cell can mean: as it stands, then without what stands in brackets,
// then without units, currencies and small words. ASTPP prints Cost / Min (USD). Only words that are
// not part of the name found count as units, so that JeraSoft's Min stays an interval in seconds.
func readHeading(header string) heading {
	h := heading{text: header, currency: currencySymbol(header)}
	outside, inside := cutBrackets(header)
	words := wordsOf(header)
	var core []string
	for _, w := range words {
		if !h.unit(w) {
			core = append(core, w)
		}
	}
	all := h
	h = heading{text: header, currency: all.currency}
	if h.find(strings.Join(words, "")) {
		return h
	}
	if h.find(normal(outside)) {
		for _, w := range wordsOf(inside) {
			h.unit(w)
		}
		return h.checked()
	}
	all.find(strings.Join(core, ""))
	if len(core) == 0 && all.currency != "" && (all.minutes || all.perSecond) {
		all.can = []meaning{{FieldPrice, len(synonymsOf[FieldPrice])}}
	}
	return all.checked()
}

func (h *heading) find(name string) bool {
	h.can, h.extra = synonyms[name], extraSynonyms[name]
	return h.can != nil || h.extra != ""
}

// checked drops the price that is not for time.
func (h heading) checked() heading {
	if h.notMinute != "" && h.is(FieldPrice) {
		h.can = nil
	}
	return h
}

// unit notes a word that names a unit, and says whether it was one.
func (h *heading) unit(word string) bool {
	code, money := currencyWords[word]
	switch {
	case slices.Contains(secondWords, word):
		h.perSecond = true
	case slices.Contains(minuteWords, word):
		h.minutes = true
	case slices.Contains(centWords, word):
		h.cents = true
	case slices.Contains(otherUnits, word):
		h.notMinute = word
	case isCurrency(strings.ToUpper(word)):
		h.currency = strings.ToUpper(word)
	case money:
		h.currency = code
	default:
		return slices.Contains(fillerWords, word)
	}
	return true
}

func (h *heading) is(f Field) bool {
	for _, m := range h.can {
		if m.field == f {
			return true
		}
	}
	return false
}

// isPrice says that the column can be a price per minute, of all calls or of a jurisdiction.
func (h *heading) isPrice() bool {
	return h.is(FieldPrice) || h.is(FieldInter) || h.is(FieldIntra) || h.is(FieldIndeterminate)
}

// cutBrackets parts what stands outside brackets from what stands in them.
func cutBrackets(s string) (outside, inside string) {
	for {
		i := strings.IndexAny(s, "([")
		if i < 0 {
			return outside + s, inside
		}
		outside += s[:i] + " "
		s = s[i+1:]
		j := strings.IndexAny(s, ")]")
		if j < 0 {
			return outside, inside + s
		}
		inside += s[:j] + " "
		s = s[j+1:]
	}
}

// isoCurrencies are the currencies that price lists are quoted in.
const isoCurrencies = " AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GEL GHS HKD HUF IDR ILS INR IQD" +
	" JOD JPY KES KRW KWD KZT LKR MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD" +
	" TZS UAH UGX USD UYU UZS VND XAF XOF ZAR ZMW "

func isCurrency(code string) bool {
	return len(code) == 3 && strings.Contains(isoCurrencies, " "+code+" ")
}

// currencySigns are what may stand beside a price, longest first; "" is a sign of several currencies.
var currencySigns = []struct{ sign, code string }{
	{"US$", "USD"}, {"R$", "BRL"}, {"zł", "PLN"}, {"€", "EUR"}, {"£", "GBP"}, {"₹", "INR"}, {"₽", "RUB"}, {"₴", "UAH"},
	{"₦", "NGN"}, {"₺", "TRY"}, {"₪", "ILS"}, {"$", ""}, {"¥", ""},
}

// currencySymbol returns the code of the currency sign in s, "" where there is none or it could be several.
func currencySymbol(s string) string {
	for _, c := range currencySigns {
		if strings.Contains(s, c.sign) {
			return c.code
		}
	}
	return ""
}

// looksLikeHeader says that row names columns: two or more words, nothing that begins with a digit.
func looksLikeHeader(cells []string) bool {
	words := 0
	for _, c := range cells {
		if c == "" {
			continue
		}
		if first := []rune(c)[0]; !unicode.IsLetter(first) && first != '#' {
			return false
		}
		words++
	}
	return words >= 2
}
