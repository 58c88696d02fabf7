package kazoo

import (
	"regexp"
	"strings"
)

// numberClass is a kind of phone number, which plans price by its name.
type numberClass struct {
	name, friendly string
	pattern        *regexp.Regexp
}

// numberClasses in the order in which they are tried; the last fits all (contract 6.1).
var numberClasses = []numberClass{
	{"tollfree_us", "US TollFree", regexp.MustCompile(`^\+1(?:800|822|833|844|855|866|877|88\d)\d{7}$`)},
	{"toll_us", "US Toll", regexp.MustCompile(`^\+1900\d{7}$`)},
	{"emergency", "Emergency Dispatcher", regexp.MustCompile(`^(?:911|922|933|833|811|711|999)$`)},
	{"caribbean", "Caribbean", regexp.MustCompile(`^\+?1(?:684|264|268|242|246|441|284|345|767|809|829|849|473|671|876|664|670|787|939|869|758|784|721|868|649|340)\d{7}$`)},
	{"did_us", "US DID", regexp.MustCompile(`^(?:\+?1)?[2-9]\d{2}[2-9]\d{6}$`)},
	{"international", "International", regexp.MustCompile(`^\+[2-9]\d{7,}$`)},
	{"unknown", "Unknown", regexp.MustCompile(`^`)},
}

// classify returns the class of a normalised number.
func classify(number string) numberClass {
	for _, c := range numberClasses[:len(numberClasses)-1] {
		if c.pattern.MatchString(number) {
			return c
		}
	}
	return numberClasses[len(numberClasses)-1]
}

// ownable are the forms of a number that an account can have.
var ownable = regexp.MustCompile(`^\+?\d{2,15}$`)

// normalNumber writes a number with its country code and a plus where it has one, and short codes as
// they are; false when it is no number.
func normalNumber(s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().", r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxNumber {
		return "", false
	}
	if rateable.MatchString(s) {
		s = e164(s)
	}
	return s, ownable.MatchString(s)
}

func listClassifiers(*exchange) (*answer, error) {
	data := document{}
	for _, c := range numberClasses {
		data[c.name] = document{"friendly_name": c.friendly, "regex": c.pattern.String()}
	}
	return &answer{data: data}, nil
}

func classifyNumber(x *exchange) (*answer, error) {
	given := x.params["number"]
	number, ok := normalNumber(given)
	if !ok {
		return nil, unknownID(clip(given))
	}
	c := classify(number)
	return &answer{data: document{"e164": number, "friendly_name": c.friendly, "name": c.name, "number": given, "regex": c.pattern.String()}}, nil
}
