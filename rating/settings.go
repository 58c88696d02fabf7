package rating

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Settings are the system-wide rules that an operator changes while billd runs; `billd settings` does.
type Settings struct {
	Currency         Currency     `json:"currency"`
	CustomerRounding Rounding     `json:"customer_rounding"` // decks of preset yeti
	VendorRounding   Rounding     `json:"vendor_rounding"`
	DurationMode     DurationMode `json:"duration_mode"`
	AutoApprove      bool         `json:"auto_approve"`
	LongestCall      uint32       `json:"longest_call,omitempty"`     // seconds; 0 is MaxCallSeconds
	TopUpBySeller    bool         `json:"top_up_by_seller,omitempty"` // an account may not top itself up
	TopUpAutomatic   bool         `json:"top_up_automatic,omitempty"` // accounts are topped up unasked, as their documents say
	EventURL         string       `json:"event_url,omitempty"`        // where balance events are posted
	EventContacts    []int64      `json:"event_contacts,omitempty"`   // who hears of every account's balance events
	Always           []string     `json:"always,omitempty"`           // numbers that may be called whatever the balance
	ReserveSeconds   uint32       `json:"reserve_seconds,omitempty"`  // talk time that an authorisation reserves unasked; 0 is the longest
	ReservationKeep  *uint32      `json:"reservation_keep,omitempty"` // seconds; nil is defaultKeep
	DataMaxRate      *uint64      `json:"data_max_rate,omitempty"`    // octets a second; nil is defaultDataRate
	GuardFresh       uint32       `json:"guard_fresh,omitempty"`      // minutes; 0 is defaultFresh
}

// defaultDataRate is 10 Gbit/s, which no subscriber of a small provider has.
const defaultDataRate = 1_250_000_000

// maxDataRate is above every line there is, and low enough that a year of it can be counted.
const maxDataRate = 1_000_000_000_000

// DataRate returns how many octets a session may pass in a second and direction before its record is
// held; 0 is any number.
func (s *Settings) DataRate() uint64 {
	if s.DataMaxRate == nil {
		return defaultDataRate
	}
	return *s.DataMaxRate
}

// defaultFresh is for how many minutes after its end a call may raise an alarm of the fraud guard: switches
// that write files by the hour are heard, an import of last week's calls is not.
const defaultFresh = 120

// FreshMinutes returns for how long after its end a call may raise an alarm of the fraud guard.
func (s *Settings) FreshMinutes() uint32 { return cmp.Or(s.GuardFresh, defaultFresh) }

// defaultKeep is how many seconds a reservation outlasts the talk time that it is made for: the call rings
// before it is answered, and its record comes after it has ended.
const defaultKeep = 300

// KeepSeconds returns how long a reservation outlasts the talk time that it is made for.
func (s *Settings) KeepSeconds() uint32 {
	if s.ReservationKeep == nil {
		return defaultKeep
	}
	return *s.ReservationKeep
}

// IsAlways reports whether a number may be called whatever the balance: an emergency number.
func (s *Settings) IsAlways(number string) bool { return slices.Contains(s.Always, number) }

// CallSeconds returns the longest that a call may last where its account says nothing.
func (s *Settings) CallSeconds() uint32 {
	if s.LongestCall == 0 {
		return MaxCallSeconds
	}
	return s.LongestCall
}

// Setting is one of the settings as operators name, read and write it.
type Setting struct {
	Name string
	Help string // what it decides
	Want string // the values it takes
	// Value returns the value: a string, an int64 or a bool.
	Value func(*Settings) any
	// Set reads the value from text. Fails with Invalid, its field the setting's name.
	Set func(*Settings, string) error
}

// Text returns the setting's value as Set reads it.
func (d *Setting) Text(s *Settings) string {
	switch v := d.Value(s).(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	}
	return ""
}

// The words of modes, by their numbers in Yeti.
var (
	roundWords    = []string{RoundNone: "none", RoundUp: "up", RoundDown: "down", RoundHalfAway: "half-away"}
	durationWords = []string{DurationNearest: "nearest", DurationDown: "down", DurationUp: "up"}
)

// Bounds of what settings take. Source of the first: Yeti, contract 6.2.
const (
	maxPrecision   = 10
	minLongestCall = 60
	maxLongestCall = 7 * 24 * 3600
	maxFresh       = 24 * 60 // the guard's tallies are kept for three days
)

// SettingList returns every setting, in the order in which they are listed.
func SettingList() []Setting {
	list := []Setting{
		currencySetting(),
		wordSetting("rounding.duration", "how talk time becomes whole seconds, in decks of preset yeti", durationWords,
			func(s *Settings) *DurationMode { return &s.DurationMode }),
	}
	for _, side := range []struct {
		name, of string
		rounding func(*Settings) *Rounding
	}{
		{"customer", "what customers pay", func(s *Settings) *Rounding { return &s.CustomerRounding }},
		{"vendor", "what vendors get", func(s *Settings) *Rounding { return &s.VendorRounding }},
	} {
		list = append(list,
			wordSetting("rounding."+side.name+".mode", "how "+side.of+" is rounded, in decks of preset yeti", roundWords,
				func(s *Settings) *RoundMode { return &side.rounding(s).Mode }),
			countSetting("rounding."+side.name+".precision", "decimals that rounding leaves; more than 6 act as 6", 0, maxPrecision,
				func(s *Settings) int64 { return int64(side.rounding(s).Places) },
				func(s *Settings, n int64) { side.rounding(s).Places = uint8(n) }))
	}
	return append(list,
		countSetting("calls.longest", "seconds that a call may last, and invoices wait, where the account says nothing", minLongestCall, maxLongestCall,
			func(s *Settings) int64 { return int64(s.CallSeconds()) }, func(s *Settings, n int64) { s.LongestCall = uint32(n) }),
		alwaysSetting(),
		countSetting("reservations.seconds", "talk time that an authorisation reserves where it asks for none; 0 is the longest that the account's calls may last", 0, maxLongestCall,
			func(s *Settings) int64 { return int64(s.ReserveSeconds) }, func(s *Settings, n int64) { s.ReserveSeconds = uint32(n) }),
		countSetting("reservations.keep", "seconds that a reservation outlasts its talk time: ringing, and the record's way here", 0, maxLongestCall,
			func(s *Settings) int64 { return int64(s.KeepSeconds()) }, func(s *Settings, n int64) { keep := uint32(n); s.ReservationKeep = &keep }),
		countSetting("data.max_rate", "octets a second that a data session may pass in a direction before its record is held; 0 is any number", 0, maxDataRate,
			func(s *Settings) int64 { return int64(s.DataRate()) }, func(s *Settings, n int64) { rate := uint64(n); s.DataMaxRate = &rate }),
		countSetting("guard.fresh", "minutes after its end for which a call may raise an alarm of the fraud guard", 1, maxFresh,
			func(s *Settings) int64 { return int64(s.FreshMinutes()) }, func(s *Settings, n int64) { s.GuardFresh = uint32(n) }),
		flagSetting("invoices.auto_approve", "approve automatic invoices as soon as they are filled",
			func(s *Settings) bool { return s.AutoApprove }, func(s *Settings, on bool) { s.AutoApprove = on }),
		eventURLSetting(), eventContactsSetting(),
		flagSetting("topup.self_service", "let an account's own Kazoo tokens top it up; else its reseller's and the master's only",
			func(s *Settings) bool { return !s.TopUpBySeller }, func(s *Settings, on bool) { s.TopUpBySeller = !on }),
		flagSetting("topup.automatic", "credit an account that asks for it when its balance falls below its threshold, at most once a day; no gateway is asked for the money",
			func(s *Settings) bool { return s.TopUpAutomatic }, func(s *Settings, on bool) { s.TopUpAutomatic = on }))
}

// SettingNamed finds a setting. Fails with NotFound, naming those that are near.
func SettingNamed(name string) (*Setting, error) {
	list := SettingList()
	names := make([]string, len(list))
	for i := range list {
		if list[i].Name == name {
			return &list[i], nil
		}
		names[i] = list[i].Name
	}
	return nil, Errorf(NotFound, "setting", "setting %s does not exist: want one of %s", quoteShort(name), strings.Join(names, ", "))
}

func refuseSetting(name, got, want string) error {
	return Broken(name, "inclusion", want, "%s %s: want %s", name, quoteShort(got), want)
}

func currencySetting() Setting {
	const want = "an ISO 4217 code, as long as nothing is charged or posted"
	return Setting{
		Name: "currency", Help: "the currency of the store and of new accounts and decks", Want: want,
		Value: func(s *Settings) any { return s.Currency.String() },
		Set: func(s *Settings, text string) error {
			c, err := ParseCurrency(strings.ToUpper(text))
			if err != nil {
				return refuseSetting("currency", text, want)
			}
			s.Currency = c
			return nil
		},
	}
}

func eventURLSetting() Setting {
	const name, want = "events.url", "an http or https address, empty for none"
	return Setting{
		Name: name, Help: "where balance events are posted to", Want: want,
		Value: func(s *Settings) any { return s.EventURL },
		Set: func(s *Settings, text string) error {
			u, err := url.Parse(text)
			if text != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
				return refuseSetting(name, text, want)
			}
			s.EventURL = text
			return nil
		},
	}
}

func eventContactsSetting() Setting {
	const name, want, most = "events.contacts", "numbers of contacts with commas between, empty for none", 100
	return Setting{
		Name: name, Help: "who hears of every account's balance events by e-mail", Want: want,
		Value: func(s *Settings) any {
			words := make([]string, len(s.EventContacts))
			for i, id := range s.EventContacts {
				words[i] = strconv.FormatInt(id, 10)
			}
			return strings.Join(words, ",")
		},
		Set: func(s *Settings, text string) error {
			var ids []int64
			for word := range strings.SplitSeq(text, ",") {
				n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
				if text != "" && (err != nil || n <= 0 || len(ids) == most) {
					return refuseSetting(name, text, want)
				}
				if text != "" {
					ids = append(ids, n)
				}
			}
			s.EventContacts = ids
			return nil
		},
	}
}

func alwaysSetting() Setting {
	const name, want, most = "calls.always", "numbers as they are matched with commas between, empty for none", 100
	return Setting{
		Name: name, Help: "numbers that may be called whatever balance and capacity say: emergency calls", Want: want,
		Value: func(s *Settings) any { return strings.Join(s.Always, ",") },
		Set: func(s *Settings, text string) error {
			var numbers []string
			for word := range strings.SplitSeq(text, ",") {
				word = strings.TrimSpace(word)
				if text != "" && (word == "" || CheckPrefix(word) != nil || len(numbers) == most) {
					return refuseSetting(name, text, want)
				}
				if text != "" {
					numbers = append(numbers, word)
				}
			}
			s.Always = numbers
			return nil
		},
	}
}

// wordSetting is a mode; its number in Yeti is read too.
func wordSetting[M ~uint8](name, help string, words []string, field func(*Settings) *M) Setting {
	want := strings.Join(words[1:], ", ")
	return Setting{
		Name: name, Help: help, Want: want,
		Value: func(s *Settings) any { return words[min(max(int(*field(s)), 1), len(words)-1)] },
		Set: func(s *Settings, text string) error {
			for i, word := range words {
				if i > 0 && (text == word || text == strconv.Itoa(i)) {
					*field(s) = M(i)
					return nil
				}
			}
			return refuseSetting(name, text, want)
		},
	}
}

func countSetting(name, help string, least, most int64, value func(*Settings) int64, set func(*Settings, int64)) Setting {
	want := strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10)
	return Setting{
		Name: name, Help: help, Want: want,
		Value: func(s *Settings) any { return value(s) },
		Set: func(s *Settings, text string) error {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < least || n > most {
				return refuseSetting(name, text, want)
			}
			set(s, n)
			return nil
		},
	}
}

func flagSetting(name, help string, value func(*Settings) bool, set func(*Settings, bool)) Setting {
	return Setting{
		Name: name, Help: help, Want: "true, false",
		Value: func(s *Settings) any { return value(s) },
		Set: func(s *Settings, text string) error {
			switch text {
			case "true", "on", "yes", "1":
				set(s, true)
			case "false", "off", "no", "0":
				set(s, false)
			default:
				return refuseSetting(name, text, "true, false")
			}
			return nil
		},
	}
}
