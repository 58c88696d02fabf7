package rating

import (
	"encoding/json"
	"time"
	"unicode/utf8"
)

// DefaultDeck and DefaultPlan are made with the store.
const (
	DefaultDeck DeckID = 1
	DefaultPlan uint64 = 1
)

// MaxPrefix is the longest prefix in characters (PortSIP: 64).
const MaxPrefix = 64

// Deck is a set of rates: Yeti's rate group, Kazoo's ratedeck, PortSIP's call rates.
type Deck struct {
	ID         DeckID    `json:"id"`
	Name       string    `json:"name"`
	Currency   Currency  `json:"currency"`
	Preset     Preset    `json:"preset"`
	ExternalID *int64    `json:"external_id,omitempty"`
	Vendor     AccountID `json:"vendor,omitempty"`     // a vendor deck prices what this account terminates (R18)
	Generation uint32    `json:"generation,omitempty"` // rates with a later generation are not visible yet
	Settling   bool      `json:"settling,omitempty"`   // closings of the last import are still being moved into their rows
	CreatedAt  time.Time `json:"created_at"`
}

// RatePlan lists the decks that an account is charged by.
type RatePlan struct {
	ID            uint64   `json:"id"`
	UUID          UUID     `json:"uuid"`
	Name          string   `json:"name"`
	Decks         []DeckID `json:"decks"`
	ProfitControl int64    `json:"profit_control"` // 1 off, 2 per call (Yeti)
}

// Rate is one deck row: Yeti's destination, Kazoo's rate, PortSIP's call rate.
type Rate struct {
	ID        RateID
	Deck      DeckID
	Prefix    string
	Direction Direction
	Terms     Terms
	From      time.Time // zero: always
	Till      time.Time // zero: never; exclusive
	Disabled  bool
	Blocked   bool // calls are refused, Yeti's reject-calls
	Reverse   bool // the customer earns, Yeti's reverse-billing
	MinLen    uint8
	MaxLen    uint8 // 0: no bound, Yeti shows 100
	Weight    uint8 // Kazoo: lower wins among equals; 0 is unset, 100
	Name      string
	Label     RateLabel // PortSIP's type
	Gen       uint32    // the deck generation that brought it
	UUID      UUID      // only when given from outside; else computed from ID
	KazooID   string    // Kazoo's id, stored at creation
	External  *int64
	Extra     RateExtra
}

// RateLabel is PortSIP's reporting label; it never affects a price.
type RateLabel uint8

// The labels; the zero value reads as International (R6).
const (
	International RateLabel = iota
	Local
	National
	Mobile
)

// String returns PortSIP's word.
func (l RateLabel) String() string {
	return [...]string{"INTERNATIONAL", "LOCAL", "NATIONAL", "MOBILE"}[l&3]
}

// ParseRateLabel reads PortSIP's word in exact case.
func ParseRateLabel(s string) (RateLabel, bool) {
	for l := International; l <= Mobile; l++ {
		if l.String() == s {
			return l, true
		}
	}
	return 0, false
}

// RateExtra is what one dialect alone knows of a rate. It is stored as JSON behind the columns, and
// not at all when it is zero.
type RateExtra struct {
	DPMarginFixed   Decimal         `json:"dp_margin_fixed,omitempty"`
	DPMarginPercent Decimal         `json:"dp_margin_percent,omitempty"`
	UseDPIntervals  bool            `json:"use_dp_intervals,omitempty"`
	ASRLimit        string          `json:"asr_limit,omitempty"` // JSON number text
	ACDLimit        string          `json:"acd_limit,omitempty"`
	ShortCallsLimit string          `json:"short_calls_limit,omitempty"`
	RoutingTagIDs   []int64         `json:"routing_tag_ids,omitempty"`
	RoutingTagMode  int64           `json:"routing_tag_mode,omitempty"`
	RatePolicy      int64           `json:"rate_policy,omitempty"` // 0 reads as 1, fixed
	ProfitControl   *int64          `json:"profit_control,omitempty"`
	Description     string          `json:"description,omitempty"`
	ISO             string          `json:"iso,omitempty"`
	Doc             json.RawMessage `json:"doc,omitempty"` // Kazoo's further fields: carrier, routes, options …
	Dialpeer        DialpeerExtra   `json:"dialpeer,omitzero"`
}

// DialpeerExtra is what Yeti keeps of a vendor's rate and charging does not ask for.
type DialpeerExtra struct {
	LCRMultiplier Decimal `json:"lcr_multiplier,omitempty"` // not set reads as 1
	Capacity      *int64  `json:"capacity,omitempty"`
	ForceHitRate  string  `json:"force_hit_rate,omitempty"` // JSON number text
	Gateway       *int64  `json:"gateway,omitempty"`        // this and below: records of a switch's own
	GatewayGroup  *int64  `json:"gateway_group,omitempty"`
	RoutingGroup  *int64  `json:"routing_group,omitempty"`
	Discriminator *int64  `json:"routeset_discriminator,omitempty"`
}

// Entry returns the row as the deck index needs it.
func (r *Rate) Entry() Entry {
	e := Entry{Rate: r.ID, Terms: r.Terms, Direction: r.Direction, Blocked: r.Blocked, Reverse: r.Reverse, OnVendor: r.Extra.OnVendor(),
		MinLen: r.MinLen, MaxLen: r.MaxLen, Weight: r.Weight}
	if !r.From.IsZero() {
		e.From = r.From.UnixMilli()
	}
	if !r.Till.IsZero() {
		e.Till = r.Till.UnixMilli()
	}
	return e
}

// ValidAt reports whether the row prices calls that start at t.
func (r *Rate) ValidAt(t time.Time) bool {
	return !r.Disabled && (r.From.IsZero() || !t.Before(r.From)) && (r.Till.IsZero() || t.Before(r.Till))
}

// Valid checks what every dialect asks of a rate.
func (r *Rate) Valid() error {
	var es Errors
	if err := CheckPrefix(r.Prefix); err != nil {
		es = append(es, err)
	}
	if !r.Till.IsZero() && !r.From.IsZero() && r.Till.Before(r.From) {
		es = append(es, Broken("valid_till", "minimum", r.From.Format(time.RFC3339), "valid till %s: before valid from %s", r.Till.Format(time.RFC3339), r.From.Format(time.RFC3339)))
	}
	if err := r.Terms.Valid(); err != nil {
		if more, ok := err.(Errors); ok {
			es = append(es, more...)
		} else {
			return err
		}
	}
	return es.Err()
}

// CheckPrefix refuses what no dialect takes for a prefix: white space, or more than MaxPrefix characters.
func CheckPrefix(p string) *Error {
	if utf8.RuneCountInString(p) > MaxPrefix {
		return Broken("prefix", "maxLength", "64", "prefix %q: want at most %d characters", clip(p), MaxPrefix)
	}
	if !utf8.ValidString(p) {
		return Broken("prefix", "format", "", "prefix: want UTF-8 text")
	}
	for i := 0; i < len(p); i++ {
		if p[i] <= ' ' || p[i] == 0x7f {
			return Broken("prefix", "format", "", "prefix %q: want no white space", clip(p))
		}
	}
	return nil
}
