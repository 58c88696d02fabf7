package rating

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"net/netip"
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
	// Auth is the customers-auth that told the payer when the call was first charged, on a call that is
	// rated again; else 0.
	Auth uint64
	// Gateway names the trunk that the call came by or went to, Inbound says that the customer was called:
	// what a record says beside its columns, and what its source's rules go by.
	Gateway string
	Inbound bool
	// Profile are the rules of the call's source, nil for none. The store sets it.
	Profile *Profile
	// Rated keeps the prices as given and moves no balance: another system's history.
	Rated bool
	// Exported is what billd's own export says of the call; not Known for every other source.
	Exported Exported
}

// Exported is the place that a call had in the store that it was exported from. A call that is
// restored takes the same place again: number, origin, revision and the content it was told by.
type Exported struct {
	Known    bool
	Restore  bool    // this store continues the one that the call comes from
	Store    [6]byte // names the store that it comes from
	ID       CDRID
	Origin   Origin
	Revision uint32
	Content  uint64 // of the record as the switch gave it
}

// Reset empties c for the next record.
func (c *Call) Reset() {
	c.CDR.Reset()
	c.AccountRef, c.VendorRef, c.Auth, c.Rated, c.Exported = "", "", 0, false, Exported{}
	c.Gateway, c.Inbound, c.Profile = "", false, nil
}

// Origination returns where the call came from, not valid when the record does not say so, and the
// numbers that it came with: what customers-auths are matched by.
func (c *CDR) Origination() (source netip.Addr, dst, src string) {
	for _, f := range [...]CDRField{CDRAuthOrigIP, CDRSignOrigIP} {
		if text := c.Text(f); text != "" && !source.IsValid() {
			source, _ = netip.ParseAddr(text)
		}
	}
	if dst = c.Text(CDRDstPrefixIn); dst == "" {
		dst = c.Text(CDRDstPrefixRouting)
	}
	if src = c.Text(CDRSrcPrefixIn); src == "" {
		src = c.Text(CDRSrcPrefixRouting)
	}
	return source, dst, src
}

// CallKey finds a call again: its start minute and a hash of source, call id and attempt. Time comes
// first so that the keys grow where the tree is already in memory (R15).
type CallKey struct {
	Minute uint32
	Hash   uint64
}

// Key returns where the call is looked for, and whether the source gave an id at all.
func (c *Call) Key() (key CallKey, identified bool) {
	if c.CallID() == "" {
		return c.keyOf(c.Content()), false
	}
	return c.keyOf(0), true
}

// keyOf is Key for a call whose content is known. Without an id the whole record is the id.
func (c *Call) keyOf(content uint64) CallKey {
	key := CallKey{Minute: uint32(c.num[CDRTimeStart] / 60_000_000), Hash: content}
	id := c.CallID()
	if id == "" {
		return key
	}
	var room [160]byte
	b := append(append(append(append(room[:0], c.Text(CDRSource)...), 0), id...), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(c.num[CDRRoutingAttempt]))
	sum := sha256.Sum256(b)
	key.Hash = binary.BigEndian.Uint64(sum[:])
	return key
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
// another one under the same id. A call that is restored keeps the content that its record had.
func (c *Call) Content() uint64 {
	if c.Exported.Restore {
		return c.Exported.Content
	}
	var room [768]byte
	buf := room[:0]
	for w, left := range c.has {
		for ; left != 0; left &= left - 1 {
			f := CDRField(w<<6 | bits.TrailingZeros64(left))
			buf = append(buf, byte(f))
			if f.Kind().IsText() {
				t := c.Text(f)
				buf = append(binary.AppendUvarint(buf, uint64(len(t))), t...)
				continue
			}
			buf = binary.AppendVarint(buf, c.num[f])
		}
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
	ReasonBadTime   = "bad_time"   // no start, or one outside 1970–2199 or in the future, or an answer or end before it
	ReasonBadRecord = "bad_record" // a column that cannot be read
	ReasonCurrency  = "currency"   // the deck's currency is not the account's
	ReasonConflict  = "conflict"   // the same call id with other content
	ReasonRange     = "range"      // the price leaves what an amount can be
)

// MaxFuture is how far ahead of the clock a call may start (R16).
const MaxFuture = 5 * time.Minute
