package rating

import (
	"maps"
	"slices"
	"strings"
)

// dialPlan is how numbers are dialled in a country.
type dialPlan struct {
	code   string   // of the country
	abroad []string // in front of a number of another country
	trunk  string   // in front of a national number, "" for none
	leads  []lead   // national numbers that are dialled without a trunk prefix
}

// lead is a beginning of national numbers and how many digits these have.
type lead struct {
	begins  string
	lengths []int
}

// dialPlans are the countries of `country CC`, by ISO 3166-1. One is left out where a carrier's code stands between
// prefix and number, or where a number's length does not tell it from one in full.
// Source: ITU-T, Dialling procedures (international prefix, national trunk prefix and national number) for E.164 numbering.
var dialPlans = func() map[string]*dialPlan {
	plans := map[string]*dialPlan{}
	// a trunk prefix 0, and 00 to call abroad
	for _, p := range strings.Fields("DE:49 AT:43 CH:41 GB:44 IE:353 NL:31 BE:32 FR:33 SE:46 RO:40 BG:359 HR:385 SI:386 SK:421 RS:381 BA:387 ME:382 MK:389 " +
		"AL:355 TR:90 UA:380 MD:373 GE:995 AM:374 EG:20 ZA:27 MA:212 DZ:213 AE:971 SA:966 JO:962 IN:91 PK:92 BD:880 LK:94 NP:977 VN:84 PH:63 " +
		"MY:60 CN:86 NZ:64 AR:54 GH:233 LB:961") {
		country, code, _ := strings.Cut(p, ":")
		plans[country] = &dialPlan{code: code, abroad: []string{"00"}, trunk: "0"}
	}
	// no trunk prefix: a national number is told by its length
	for country, p := range map[string]struct {
		code    string
		lengths []int
	}{
		"ES": {"34", []int{9}}, "PT": {"351", []int{9}}, "DK": {"45", []int{8}}, "NO": {"47", []int{8}}, "PL": {"48", []int{9}}, "CZ": {"420", []int{9}},
		"GR": {"30", []int{10}}, "EE": {"372", []int{7, 8}}, "LV": {"371", []int{8}}, "IS": {"354", []int{7}}, "MT": {"356", []int{8}}, "CY": {"357", []int{8}},
		"MX": {"52", []int{10}}, "TN": {"216", []int{8}}, "KW": {"965", []int{8}}, "QA": {"974", []int{8}}, "BH": {"973", []int{8}}, "OM": {"968", []int{8}},
	} {
		plans[country] = &dialPlan{code: p.code, abroad: []string{"00"}, leads: []lead{{"", p.lengths}}}
	}
	for _, country := range strings.Fields("US CA PR DO JM BS BB TT") {
		plans[country] = &dialPlan{code: "1", abroad: []string{"011"}, leads: []lead{{"", []int{10}}}}
	}
	plans["RU"] = &dialPlan{code: "7", abroad: []string{"810"}, trunk: "8"}
	plans["KZ"] = plans["RU"]
	plans["AU"] = &dialPlan{code: "61", abroad: []string{"0011"}, trunk: "0"}
	plans["JP"] = &dialPlan{code: "81", abroad: []string{"010"}, trunk: "0"}
	plans["TW"] = &dialPlan{code: "886", abroad: []string{"002"}, trunk: "0"}
	plans["HU"] = &dialPlan{code: "36", abroad: []string{"00"}, trunk: "06"}
	plans["HK"] = &dialPlan{code: "852", abroad: []string{"001"}, leads: []lead{{"", []int{8}}}}
	plans["SG"] = &dialPlan{code: "65", abroad: []string{"001", "008", "018", "019"}, leads: []lead{{"", []int{8}}}}
	// the 0 of Italian lines is a part of the number; mobile ones begin with 3
	plans["IT"] = &dialPlan{code: "39", abroad: []string{"00"}, leads: []lead{{"0", []int{6, 7, 8, 9, 10, 11}}, {"3", []int{9, 10}}}}
	return plans
}()

// dialledCountries lists the countries that `country` knows.
func dialledCountries() string { return strings.Join(slices.Sorted(maps.Keys(dialPlans)), " ") }
