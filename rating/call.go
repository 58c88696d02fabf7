package rating

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Call is what a switch told us of one call leg, before charging: the columns it gave, and who is
// said to pay.
type Call struct {
	CDR
	// AccountRef is the payer as the source names it: a decimal number, a UUID in either spelling or
	// an exact name; "" when it names none and rules decide.
	AccountRef string
	// VendorRef names the account that terminated the call, in the same spellings.
	VendorRef string
	// Rated keeps the prices as given and moves no balance: another system's history.
	Rated bool
}

// Reset empties c for the next record.
func (c *Call) Reset() {
	c.CDR.Reset()
	c.AccountRef, c.VendorRef, c.Rated = "", "", false
}

// CallKey finds a call again: its start minute and a hash of source, call id and attempt. Time comes
// first so that the keys grow where the tree is already in memory (R15).
type CallKey struct {
	Minute uint32
	Hash   uint64
}

// Key returns where the call is looked for, and whether the source gave an id at all; without one the
// whole record is the id.
func (c *Call) Key() (key CallKey, identified bool) {
	key.Minute = uint32(c.num[CDRTimeStart] / 60_000_000)
	id := c.CallID()
	if id == "" {
		key.Hash = c.Content()
		return key, false
	}
	h := sha256.New()
	var b [9]byte
	h.Write([]byte(c.Text(CDRSource)))
	h.Write(b[:1])
	h.Write([]byte(id))
	binary.BigEndian.PutUint64(b[1:], uint64(c.num[CDRRoutingAttempt]))
	h.Write(b[:])
	key.Hash = binary.BigEndian.Uint64(h.Sum(nil))
	return key, true
}

// CallID returns the id that the source knows the call by: call_id, else the originating leg's.
func (c *CDR) CallID() string {
	if id := c.Text(CDRCallID); id != "" {
		return id
	}
	return c.Text(CDROrigCallID)
}

// SameCall reports whether both rows carry the same source, call id and attempt.
func (c *CDR) SameCall(d *CDR) bool {
	return c.Text(CDRSource) == d.Text(CDRSource) && c.CallID() == d.CallID() && c.Int(CDRRoutingAttempt) == d.Int(CDRRoutingAttempt)
}

// Content hashes every column that was given, and the payer, so that a resent record is told from
// another one under the same id.
func (c *Call) Content() uint64 {
	buf := make([]byte, 0, 512)
	for f := CDRField(0); int(f) < NumCDRFields; f++ {
		if !c.Has(f) {
			continue
		}
		buf = append(buf, byte(f))
		if f.Kind().IsText() {
			t := c.Text(f)
			buf = binary.AppendUvarint(buf, uint64(len(t)))
			buf = append(buf, t...)
			continue
		}
		buf = binary.AppendVarint(buf, c.num[f])
	}
	buf = append(buf, 0xff)
	buf = append(buf, c.AccountRef...)
	buf = append(buf, 0)
	buf = append(buf, c.VendorRef...)
	if c.Rated {
		buf = append(buf, 1)
	}
	sum := sha256.Sum256(buf)
	return binary.BigEndian.Uint64(sum[:8])
}

// Suspense reasons: why a call could not be charged. Each is a word that clients may rely on.
const (
	ReasonNoAccount = "no_account" // nobody can be told to pay
	ReasonNoNumber  = "no_number"  // the dialled number is missing
	ReasonNoRate    = "no_rate"    // no valid rate matches the number
	ReasonBlocked   = "blocked"    // an answered call to a prefix that is not allowed
	ReasonBadTime   = "bad_time"   // no start, or one outside 1970–2199 or in the future, or an end before it
	ReasonBadRecord = "bad_record" // a column that cannot be read
	ReasonCurrency  = "currency"   // the deck's currency is not the account's
	ReasonConflict  = "conflict"   // the same call id with other content
	ReasonRange     = "range"      // the price leaves what an amount can be
)

// MaxFuture is how far ahead of the clock a call may start (R16).
const MaxFuture = 5 * time.Minute
