package rating

import (
	"strings"
	"time"
	"unicode/utf8"
)

// DataStatus says what a record of a broadband session tells. The numbers are those of RADIUS.
// Source: RFC 2866, Acct-Status-Type.
type DataStatus uint8

// The statuses. On and Off are of a source as a whole: what was open on it is over.
const (
	DataStart   DataStatus = 1
	DataStop    DataStatus = 2
	DataInterim DataStatus = 3
	DataOn      DataStatus = 7
	DataOff     DataStatus = 8
)

// String returns the status's word.
func (s DataStatus) String() string {
	switch s {
	case DataStart:
		return "start"
	case DataStop:
		return "stop"
	case DataInterim:
		return "interim"
	case DataOn:
		return "on"
	case DataOff:
		return "off"
	}
	return "unknown"
}

// ParseDataStatus reads a status's word, or RADIUS's own spelling of it, in any case.
func ParseDataStatus(s string) (DataStatus, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "start", "1":
		return DataStart, nil
	case "stop", "2":
		return DataStop, nil
	case "interim", "interim-update", "alive", "3":
		return DataInterim, nil
	case "on", "accounting-on", "7":
		return DataOn, nil
	case "off", "accounting-off", "8":
		return DataOff, nil
	}
	return 0, Broken("status", "inclusion", "", "status %s: want start, interim, stop, on or off", quoteShort(s))
}

// DataRecord is one record of a broadband session, or of the restart of the source that makes them.
// Octets are totals since the session began: what was used is the difference to the record before.
type DataRecord struct {
	Source  string     `json:"source"`  // who numbers the sessions: the NAS, by the operator's name for it
	Session string     `json:"session"` // Acct-Session-Id
	User    string     `json:"user"`    // whose subscription it is
	Status  DataStatus `json:"status"`
	At      time.Time  `json:"at"`               // when it was so: Event-Timestamp, else arrival less Acct-Delay-Time
	Input   uint64     `json:"input"`            // octets from the subscriber, gigawords joined
	Output  uint64     `json:"output"`           // octets to the subscriber, gigawords joined
	Wraps   bool       `json:"wraps,omitempty"`  // the source sends no gigawords, and its operator says that a smaller total is a counter that passed 2³²
	Seconds uint32     `json:"seconds"`          // Acct-Session-Time
	Address string     `json:"address"`          // Framed-IP-Address
	Calling string     `json:"calling"`          // Calling-Station-Id
	Called  string     `json:"called,omitempty"` // Called-Station-Id
	Cause   string     `json:"cause"`            // Acct-Terminate-Cause
	Damage  string     `json:"damage,omitempty"` // what of it could not be read: it is held
}

// DataOutcome says what became of a DataRecord.
type DataOutcome uint8

// The outcomes. All but DataHeld are of records that are answered as taken; what is used by nobody's
// subscription is kept as unassigned until there is one.
const (
	DataStored     DataOutcome = iota
	DataDuplicate              // a record that came before, or one whose octets later totals hold
	DataReset                  // stored, and its totals began anew
	DataUnassigned             // stored, and the user has no subscription at that time
	DataHeld                   // kept in suspense with its reason
	NumDataOutcomes
)

// String returns the outcome's word.
func (o DataOutcome) String() string {
	names := [...]string{"stored", "duplicate", "reset", "unassigned", "held"}
	if int(o) < len(names) {
		return names[o]
	}
	return "unknown"
}

// The reasons for which a record is held.
const (
	HeldBadRecord = "bad_record" // no session, no user, a field that cannot be
	HeldBadTime   = "bad_time"   // before 2000, or more than five minutes in the future
	HeldTooFast   = "too_fast"   // more octets than the setting data.max_rate lets pass in the time
	HeldRange     = "range"      // a sum or a price leaves what can be stored
)

// DataVerdict is what became of one record.
type DataVerdict struct {
	Outcome      DataOutcome
	Session      uint64 // its row, 0 for held records and those of a source
	Held         uint64 // its row in suspense
	Reason       string // why it is held
	Detail       string
	Subscription uint64 // who used the octets, 0 for nobody's
	Used         Octets // what the record added
	Charged      Money  // net, what the record cost beyond what was charged before
}

// Bounds of a record.
const (
	maxDataText   = 253 // bytes of an attribute's text, RFC 2865
	maxDataOctets = 1 << 62
	maxDataAhead  = 5 * time.Minute
)

// DataEpoch is before all usage: sources without a clock say 1970.
var DataEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Fault says why a record cannot be taken at an instant; reason is "" when it can.
func (r *DataRecord) Fault(now time.Time) (reason, detail string) {
	for _, f := range [...]struct{ name, text string }{{"source", r.Source}, {"session", r.Session}, {"user", r.User},
		{"address", r.Address}, {"calling", r.Calling}, {"called", r.Called}, {"cause", r.Cause}} {
		if len(f.text) > maxDataText || strings.ContainsRune(f.text, 0) || !utf8.ValidString(f.text) {
			return HeldBadRecord, f.name + ": want text of up to 253 bytes without a zero byte"
		}
	}
	ofSession := r.Status == DataStart || r.Status == DataInterim || r.Status == DataStop
	switch {
	case r.Damage != "":
		return HeldBadRecord, r.Damage
	case !ofSession && r.Status != DataOn && r.Status != DataOff:
		return HeldBadRecord, "status: want start, interim, stop, on or off"
	case r.Source == "":
		return HeldBadRecord, "source: none"
	case ofSession && r.Session == "":
		return HeldBadRecord, "session: none"
	case ofSession && r.User == "":
		return HeldBadRecord, "user: none"
	case r.Input > maxDataOctets || r.Output > maxDataOctets:
		return HeldBadRecord, "octets: more than a counter holds"
	case r.Wraps && (r.Input >= counterSize || r.Output >= counterSize):
		return HeldBadRecord, "octets: more than a counter without gigawords holds"
	case r.At.Before(DataEpoch):
		return HeldBadTime, "time " + r.At.UTC().Format(time.RFC3339) + ": before 2000"
	case r.At.After(now.Add(maxDataAhead)):
		return HeldBadTime, "time " + r.At.UTC().Format(time.RFC3339) + ": in the future"
	}
	return "", ""
}
