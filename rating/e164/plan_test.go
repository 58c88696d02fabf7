package e164

import (
	"strings"
	"testing"
)

// worldIndex is the index of all facts.
func worldIndex() (*Plan, *Index) {
	p := World()
	entries := make([]Entry, len(p.Prefixes))
	for i, q := range p.Prefixes {
		entries[i] = Entry{q.Digits, uint32(i), q.Lengths}
	}
	return p, NewIndex(entries)
}

// codes are the country codes in use or set aside. Source: ITU-T, list of E.164 assigned country codes.
const codes = `1 7 20 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240
	241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 27 290 291
	297 298 299 30 31 32 33 34 350 351 352 353 354 355 356 357 358 359 36 370 371 372 373 374 375 376 377 378 379 380 381 382
	383 385 386 387 389 39 40 41 420 421 423 43 44 45 46 47 48 49 500 501 502 503 504 505 506 507 508 509 51 52 53 54 55 56 57
	58 590 591 592 593 594 595 596 597 598 599 60 61 62 63 64 65 66 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686
	687 688 689 690 691 692 800 808 81 82 84 850 852 853 855 856 86 870 878 880 881 882 883 886 888 90 91 92 93 94 95 960 961
	962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 98 991 992 993 994 995 996 997 998`

func TestEveryCountryCodeResolves(t *testing.T) {
	p, x := worldIndex()
	for _, code := range strings.Fields(codes) {
		if v, ok := x.Prefix(code); !ok || p.Prefixes[v].Digits != code {
			t.Errorf("code %s resolves to %d, %t", code, v, ok)
		}
	}
	if _, ok := x.Prefix("0"); ok {
		t.Error("a national number resolves")
	}
}

func TestNoCountryNetworkOrPrefixStandsTwice(t *testing.T) {
	p := World()
	seen := map[string]bool{}
	once := func(what, name string) {
		t.Helper()
		if seen[what+name] {
			t.Errorf("%s %s stands twice", what, name)
		}
		seen[what+name] = true
	}
	for _, c := range p.Countries {
		once("code", c.ISO2)
		once("country", c.Name)
		if strings.ToUpper(c.ISO2) != c.ISO2 || c.Name != strings.TrimSpace(c.Name) || c.Name == "" {
			t.Errorf("country %q %q is not spelled as it should be", c.ISO2, c.Name)
		}
	}
	for _, n := range p.Networks {
		once("network", n.Name)
		if n.Kind < Any || n.Kind > Special {
			t.Errorf("network %s is of kind %d", n.Name, n.Kind)
		}
	}
	for _, q := range p.Prefixes {
		once("prefix", q.Digits)
		if !IsPrefix(q.Digits) {
			t.Errorf("prefix %q is no prefix", q.Digits)
		}
	}
	if got, want := len(p.Countries), 250; got != want { // ISO 3166-1 has 249, and Kosovo
		t.Errorf("%d countries, want %d", got, want)
	}
}

func TestLongestPrefixWins(t *testing.T) {
	p, x := worldIndex()
	for _, tt := range []struct{ number, want string }{
		{"442079460000", "GB United Kingdom Fixed"},
		{"447700900123", "GB United Kingdom Mobile"},
		{"447781123456", "GG Guernsey Mobile"},
		{"441534123456", "JE Jersey Fixed"},
		{"447624123456", "IM Isle of Man Mobile"},
		{"12125550100", "US United States"},
		{"14165550100", "CA Canada"},
		{"18765550100", "JM Jamaica"},
		{"17875550100", "PR Puerto Rico"},
		{"18005550100", "-- North America Toll-Free"},
		{"74951234567", "RU Russia Fixed"},
		{"79161234567", "RU Russia Mobile"},
		{"77011234567", "KZ Kazakhstan Mobile"},
		{"77271234567", "KZ Kazakhstan Fixed"},
		{"77611234567", "KZ Kazakhstan"},
		{"262692123456", "RE Réunion Mobile"},
		{"262639123456", "YT Mayotte Mobile"},
		{"262269123456", "YT Mayotte Fixed"},
		{"59995123456", "CW Curaçao"},
		{"5997171234", "BQ Caribbean Netherlands"},
		{"590690123456", "GP Guadeloupe Mobile"},
		{"390669812345", "VA Vatican City Fixed"},
		{"390549123456", "SM San Marino Fixed"},
		{"390612345678", "IT Italy Fixed"},
		{"4779123456", "SJ Svalbard and Jan Mayen Fixed"},
		{"3581812345", "AX Åland Islands Fixed"},
		{"61891621234", "CC Cocos (Keeling) Islands Fixed"},
		{"61891641234", "CX Christmas Island Fixed"},
		{"67230123456", "NF Norfolk Island"},
		{"2125288123456", "EH Western Sahara Fixed"},
		{"4915112345678", "DE Germany Mobile"},
		{"493012345678", "DE Germany Fixed"},
		{"498001234567", "DE Germany Toll-Free"},
		{"33612345678", "FR France Mobile"},
		{"48501234567", "PL Poland Mobile"},
		{"380671234567", "UA Ukraine Mobile"},
		{"8613812345678", "CN China Mobile"},
		{"5511987654321", "BR Brazil Mobile"},
		{"551133334444", "BR Brazil"},
		{"881612345678", "-- Global Mobile Satellite"},
		{"80012345678", "-- International Freephone"},
		{"2471234", "SH Saint Helena, Ascension and Tristan da Cunha"},
		{"38344123456", "XK Kosovo Mobile"},
		{"1001", "none"}, // an extension
		{"anonymous", "none"},
		{"", "none"},
	} {
		got := "none"
		if v, ok := x.Number(tt.number); ok {
			q := p.Prefixes[v]
			got = "-- "
			if q.Country >= 0 {
				got = p.Countries[q.Country].ISO2 + " "
			}
			got += p.Networks[q.Network].Name
		}
		if got != tt.want {
			t.Errorf("Number(%s) = %s, want %s", tt.number, got, tt.want)
		}
	}
}

func TestAFaultyFileIsRefused(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"DEU Germany = 49", `line 1: country "DEU": want two letters`},
		{"DE Germany = 49\nAT = 43", "line 2: country AT: want it to go on the line before"},
		{"DE Germany = 49 | pager 16", `line 1: kind "pager" is none`},
		{"DE Germany = 49 | mobile 17-15", `line 1: digits "17-15": want digits or a range of them`},
		{"DE Germany = 49 | mobile x", `line 1: digits "x": want digits or a range of them`},
		{"DE Germany = 49 | mobile 1-15", `line 1: digits "1-15": want digits or a range of them`},
	} {
		if _, err := parse(tt.text); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("parse(%q) = %v, want %s", tt.text, err, tt.want)
		}
	}
}
