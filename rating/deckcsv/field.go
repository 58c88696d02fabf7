package deckcsv

// Field is what a column of a price list means.
type Field uint8

// The fields. Their names, for Options.Columns, are those of String.
const (
	Ignored            Field = iota // the column is not read
	FieldPrefix                     // the whole prefix, or a list or range of them
	FieldCountry                    // the country code, to which FieldArea is appended
	FieldArea                       // the rest of the prefix, or a list of such; blank is the whole country
	FieldName                       // the destination
	FieldPrice                      // price per minute; also of the later steps unless they have their own
	FieldNextPrice                  // price per minute after the first step
	FieldConnect                    // money per answered call
	FieldFirst                      // seconds of the first step
	FieldNext                       // seconds of each later step
	FieldIncrement                  // both, as 60/1, or one number for both
	FieldFree                       // seconds not charged after the first step
	FieldGrace                      // shorter calls are free
	FieldNoCharge                   // calls of so many seconds or fewer are free: a grace of one more
	FieldSurcharge                  // fraction on the whole call
	FieldMinCost                    // least money for a charged call
	FieldMaxCost                    // most money for a call
	FieldFrom                       // valid from
	FieldTill                       // valid till
	FieldBlocked                    // yes: calls are not sold
	FieldChange                     // new, increase, decrease, no change, deleted; also active, inactive
	FieldDeleted                    // yes: the rate is withdrawn
	FieldType                       // LOCAL, NATIONAL, INTERNATIONAL, MOBILE
	FieldInter                      // price per minute of calls between US states
	FieldIntra                      // price per minute of calls inside a US state
	FieldIndeterminate              // price per minute of calls from a caller without a state
	FieldOrigin                     // the callers that the price is for
	FieldFormat                     // the version of billd's own export
	FieldExtra                      // carried as an Extra
	fieldCount
)

// String returns the name by which Options.Columns speaks of f.
func (f Field) String() string { return fieldNames[min(f, fieldCount-1)] }

var fieldNames = [fieldCount]string{
	Ignored: "ignored", FieldPrefix: "prefix", FieldCountry: "country_code", FieldArea: "area_code",
	FieldName: "name", FieldPrice: "price", FieldNextPrice: "next_price", FieldConnect: "connect_fee",
	FieldFirst: "first_seconds", FieldNext: "next_seconds", FieldIncrement: "increment",
	FieldFree: "free_seconds", FieldGrace: "grace_seconds", FieldNoCharge: "nocharge_seconds",
	FieldSurcharge: "surcharge", FieldMinCost: "min_cost", FieldMaxCost: "max_cost",
	FieldFrom: "valid_from", FieldTill: "valid_till", FieldBlocked: "blocked", FieldChange: "change",
	FieldDeleted: "discontinued", FieldType: "type", FieldFormat: "format", FieldExtra: "extra",
	FieldInter: "inter_price", FieldIntra: "intra_price", FieldIndeterminate: "indeterminate_price", FieldOrigin: "origin",
}

// Fields is a set of Field.
type Fields uint32

// Has says whether f is in the set.
func (s Fields) Has(f Field) bool { return s&(1<<f) != 0 }

func (s *Fields) add(f Field) { *s |= 1 << f }

// synonymsOf lists the headers of each field in lower case without anything but letters and digits,
// the best first: of two columns that could be the field, the one named earlier here is taken.
// Source: the price lists and import templates of Yeti, Kazoo, PortSIP, ASTPP, A2Billing, JeraSoft,
// PortaBilling, VOS3000, Inomial, ICTVoIP, jBilling and ivozprovider.
var synonymsOf = [fieldCount][]string{
	FieldPrefix: {"prefix", "completecode", "fullcode", "dialcode", "dialcodes", "dialprefix", "dialingcode",
		"dstprefix", "dstcode", "destinationprefix", "destinationcode", "destinationprefixes", "dialplan",
		"prefixes", "code", "codes", "areacode", "breakout", "breakouts", "npanxx", "npanxxx", "matchcolumn", "dialpattern", "route", "routes"},
	FieldCountry: {"countrycode", "countryprefix", "countrydialcode", "cc"},
	FieldArea:    {"citycode", "citycodes", "areacode", "areacodes", "area"},
	FieldName: {"name", "destination", "destinationname", "description", "codename", "ratename", "targetpatternname",
		"friendlyname", "zone", "zonename", "breakoutname", "areaname", "network", "region", "country",
		"countryname", "comment"},
	FieldPrice: {"price", "newrate", "newprice", "sellingrate", "sellrate", "sellingprice", "rate", "rates", "price1",
		"initialrate", "rateinitial", "firstprice", "initialprice", "firstrate", "ratecost", "pricemin", "costmin", "permincost",
		"perminutecost", "costperminute", "rateperminute", "ratemin", "ratevalue", "perunitrate", "cost", "tariff", "charge"},
	FieldNextPrice: {"nextprice", "pricen", "nextrate", "rate2", "subsequentrate"},
	FieldConnect: {"connectfee", "connectionfee", "connectioncost", "connectcost", "connectcharge", "connectioncharge",
		"setupfee", "setupcharge", "sf", "flagfall", "flagfallrate", "ratesurcharge"},
	FieldFirst: {"firstseconds", "initialinterval", "firstinterval", "interval1", "initialincrement", "initblock",
		"minduration", "minimumduration", "rateminimum", "minimum", "mintime", "min", "duration"},
	FieldNext: {"nextseconds", "nextinterval", "intervaln", "subsequentincrement", "subsequentinterval",
		"nextincrement", "billingblock", "rateincrement", "interval", "int"},
	FieldIncrement: {"increment", "increments", "billingincrement", "billingincrements", "billing", "pulse",
		"chargeperiod", "chargingincrement", "ratingincrement"},
	FieldFree:      {"freeseconds"},
	FieldGrace:     {"graceseconds", "graceperiod", "gracetime", "grace"},
	FieldNoCharge:  {"nochargeseconds", "ratenochargetime", "nochargetime"},
	FieldSurcharge: {"postcallsurcharge"},
	FieldMinCost:   {"mincost", "minimumcost", "minimalcost", "minimumcharge", "mincharge"},
	FieldMaxCost:   {"maxcost", "maximumcost", "maximumcharge", "maxcharge"},
	FieldFrom: {"validfrom", "effectivedate", "effectivefrom", "effective", "startdate", "activationtime",
		"activationdate", "activedate", "begindate", "effectivefromdate", "ratestartdate", "startingdate"},
	FieldTill: {"validtill", "validto", "validuntil", "enddate", "effectivetill", "effectiveto", "expirationdate", "expirydate", "expiry", "stopdate",
		"expirationtime", "rateenddate"},
	FieldBlocked: {"blocked", "rejectcalls", "forbidden"},
	FieldChange:  {"change", "changes", "ratechange", "pricechange", "changetype", "changecode", "policy", "status"},
	FieldDeleted: {"discontinued", "deleted"},
	FieldType:    {"type", "calltype", "ratetype"},
	FieldInter: {"interprice", "interrate", "interstate", "interstaterate", "interstateprice", "inter", "rateinter", "rateinterstate",
		"interstatecost", "intercost", "interlata"},
	FieldIntra: {"intraprice", "intrarate", "intrastate", "intrastaterate", "intrastateprice", "intra", "rateintra", "rateintrastate",
		"intrastatecost", "intracost", "intralata"},
	FieldIndeterminate: {"indeterminateprice", "ijrate", "indeterminate", "indeterminaterate", "ij", "ijprice", "indrate", "rateindeterminate", "undetermined"},
	FieldOrigin:        {"originationprefixes", "originationprefix", "origination", "originprefix", "origin", "srccode", "srcprefix", "sourceprefix"},
}

// extraKind says what the text of an Extra must be.
type extraKind uint8

const (
	anyText extraKind = iota
	wholeNumber
	yesNo
)

// extraSynonyms are the headers of the extras that a carrier's list may carry, with their names.
// numbers and uuids of rows count only in FormBilld, where every other column is an Extra too.
var extraSynonyms = map[string]string{
	"externalid": "external_id", "weight": "weight", "enabled": "enabled", "direction": "direction",
	"reversebilling": "reverse_billing", "currency": "currency", "currencycode": "currency",
	"isocountrycode": "country", "iso": "country", "countryiso": "country", "isocode": "country",
	"minlength": "min_length", "dstnumberminlength": "min_length",
	"maxlength": "max_length", "dstnumbermaxlength": "max_length",
	"carrier": "carrier", "internalratecost": "internal_rate_cost", "ratesuffix": "rate_suffix", "rateversion": "rate_version",
}

var extraKinds = map[string]extraKind{
	"weight": wholeNumber, "external_id": wholeNumber, "min_length": wholeNumber, "max_length": wholeNumber,
	"number": wholeNumber, "enabled": yesNo, "reverse_billing": yesNo,
}

type meaning struct {
	field Field
	rank  int
}

// synonyms maps a header to the fields it can be; areacode is a prefix where no country code stands.
var synonyms = indexSynonyms()

func indexSynonyms() map[string][]meaning {
	m := map[string][]meaning{}
	for f := range synonymsOf {
		for rank, s := range synonymsOf[f] {
			m[s] = append(m[s], meaning{Field(f), rank})
		}
	}
	return m
}

// fieldNamed returns the field that String calls name.
func fieldNamed(name string) (Field, bool) {
	for f, n := range fieldNames {
		if n == name {
			return Field(f), true
		}
	}
	return Ignored, false
}
