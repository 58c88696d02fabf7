package storage

import (
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// calls walks every call once: its row, its keys, its sums.
func (c *checker) calls() error {
	var call rating.Call
	cdr := &call.CDR
	var customers, vendors int
	cur := c.tx.Txn.Cursor(bCDR)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		id := rating.CDRID(kv.ID(k))
		c.cdrs.add(uint64(id))
		if c.cdrs.count%100000 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := decodeCDR(id, v, cdr); err != nil {
			c.fault("cdr %d: %v", id, err)
			continue
		}
		if start := cdr.Int(rating.CDRTimeStart); !cdr.Has(rating.CDRTimeStart) || start/1000 != id.Milli() {
			c.fault("cdr %d: starts at %s, which is not its number's millisecond", id, cdr.Format(rating.CDRTimeStart))
		}
		customers += c.sideOf(cdr, bCDRCustomer, cdr.Customer())
		vendors += c.sideOf(cdr, bCDRVendor, cdr.Vendor())
		if key, identified := call.Key(); identified && !c.tx.leadsTo(key, id) {
			c.fault("cdr %d: the key that makes it once does not lead to it", id)
			c.keyless[id] = true
		}
		c.derive(cdr)
		c.addDraw(cdr)
	}
	c.straySide(bCDRCustomer, customers, (*rating.CDR).Customer)
	c.straySide(bCDRVendor, vendors, (*rating.CDR).Vendor)
	return nil
}

// leadsTo reports whether a call key leads to a call.
func (tx *Tx) leadsTo(key rating.CallKey, id rating.CDRID) bool {
	for n := uint8(0); n < maxSameKey; n++ {
		raw := tx.Txn.Get(bCDRCall, callKey(key, n))
		if raw == nil {
			continue
		}
		if v, err := callValueFrom(raw); err == nil && !v.held && v.number == uint64(id) {
			return true
		}
	}
	return false
}

// sideOf checks one index entry and returns how many entries there should be.
func (c *checker) sideOf(cdr *rating.CDR, b kv.Bucket, id rating.AccountID) int {
	if id == 0 {
		return 0
	}
	c.refer("cdr", uint64(cdr.ID), "account", uint64(id), func(id uint64) bool {
		return c.accounts[rating.AccountID(id)] != nil || c.tx.Accounts.Has(id)
	})
	if c.tx.Txn.Get(b, kv.Key(nil).U64(uint64(id)).U64(uint64(cdr.ID))) == nil {
		c.fault("cdr %d: missing from the calls of account %d", cdr.ID, id)
		return 0
	}
	return 1
}

// straySide reports index entries that no call has: each wanted one was found, so only a surplus is stray.
func (c *checker) straySide(b kv.Bucket, want int, side func(*rating.CDR) rating.AccountID) {
	if kv.CountKeys(c.tx.Txn, b) == want {
		return
	}
	var cdr rating.CDR
	cur := c.tx.Txn.Cursor(b)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		id := rating.CDRID(kv.ID(k))
		raw := c.tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id)))
		switch {
		case len(k) != 16:
			c.fault("cdr: an account's index has a key of %d bytes, want 16", len(k))
		case raw == nil:
			c.fault("account %d: its calls name CDR %d, which does not exist", kv.ID(k[:8]), id)
		case decodeCDR(id, raw, &cdr) == nil && uint64(side(&cdr)) != kv.ID(k[:8]):
			c.fault("account %d: its calls name CDR %d, which is not its own", kv.ID(k[:8]), id)
		}
	}
}

// derive adds what a call posts and counts, in a transaction of its own that is never written.
func (c *checker) derive(cdr *rating.CDR) {
	for _, id := range [...]rating.AccountID{cdr.Customer(), cdr.Vendor()} {
		if id != 0 && c.accounts[id] == nil {
			return // already reported
		}
	}
	shadow := &Tx{Txn: c.tx.Txn, db: c.tx.db, now: c.tx.now, moves: c.balances, tallies: c.tallies, known: c.accounts, guardWork: c.guarded}
	err := shadow.moveCall(cdr, 1)
	if err == nil {
		err = shadow.countCall(cdr, 1)
	}
	if err != nil {
		c.fault("cdr %d: %v", cdr.ID, err)
	}
}

// callKeys checks that the keys which make calls once lead to the calls and held records there are.
func (c *checker) callKeys() error {
	var calls, held, suspended tallySet
	cur := c.tx.Txn.Cursor(bCDRCall)
	for k, raw := cur.First(); k != nil; k, raw = cur.Next() {
		v, err := callValueFrom(raw)
		switch {
		case err != nil:
			c.fault("cdr: call key %x: %v", k, err)
		case len(k) != callKeySize:
			c.fault("cdr: call key %x: %d bytes, want %d", k, len(k), callKeySize)
		case v.held:
			held.add(v.number)
			if !c.tx.Suspense.Has(v.number) {
				c.fault("a call key leads to suspense %d, which does not exist", v.number)
			}
		default:
			calls.add(v.number)
			if c.tx.Txn.Get(bCDR, kv.Key(nil).U64(v.number)) == nil {
				c.fault("a call key leads to CDR %d, which does not exist", v.number)
			}
		}
	}
	c.tx.Suspense.EachSound(func(s *Suspended) {
		v, err := callValueFrom(c.tx.Txn.Get(bCDRCall, s.CallKey))
		if err != nil || !v.held || v.number != s.ID {
			c.fault("suspense %d: the key that makes it once does not lead to it", s.ID)
		}
	})
	rows := c.tx.Txn.Cursor(bSuspense)
	for k, _ := rows.First(); k != nil; k, _ = rows.Next() {
		suspended.add(kv.ID(k))
	}
	if calls != c.cdrs {
		c.nameDifference(bCDR, c.keyed(false), "cdr %d: no key makes it once", "cdr %d: %d keys lead to it, want one")
	}
	if held != suspended {
		c.nameDifference(bSuspense, c.keyed(true), "suspense %d: no key leads to it", "suspense %d: %d keys lead to it, want one")
	}
	return nil
}

// keyed returns the numbers that call keys lead to, sorted: of calls, or of held records.
func (c *checker) keyed(held bool) (numbers []uint64) {
	cur := c.tx.Txn.Cursor(bCDRCall)
	for k, raw := cur.First(); k != nil; k, raw = cur.Next() {
		if v, err := callValueFrom(raw); err == nil && v.held == held {
			numbers = append(numbers, v.number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// nameDifference reports the rows of a bucket that are not in numbers (sorted) exactly once.
func (c *checker) nameDifference(b kv.Bucket, numbers []uint64, none, many string) {
	cur := c.tx.Txn.Cursor(b)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		id := kv.ID(k)
		at, _ := slices.BinarySearch(numbers, id)
		n := 0
		for at+n < len(numbers) && numbers[at+n] == id {
			n++
		}
		switch {
		case n == 0 && !(b == bCDR && c.keyless[rating.CDRID(id)]):
			c.fault(none, id)
		case n > 1:
			c.fault(many, id, n)
		}
	}
}

// log checks that the ingest log names every call once and that no sequence number is missing in it.
func (c *checker) log() error {
	var logged tallySet
	next := uint64(0)
	cur := c.tx.Txn.Cursor(bCDRLog)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		if len(k) != 8 || len(v) == 0 || len(v)%8 != 0 {
			c.fault("the ingest log's row %x is damaged", k)
			continue
		}
		if first := kv.ID(k); next != 0 && first != next {
			c.fault("the ingest log goes on at %d, want %d", first, next)
		}
		next = kv.ID(k) + uint64(len(v)/8)
		for ; len(v) > 0; v = v[8:] {
			id := kv.ID(v[:8])
			logged.add(id)
			if c.tx.Txn.Get(bCDR, v[:8]) == nil {
				c.fault("the ingest log names CDR %d, which does not exist", id)
			}
		}
	}
	if logged != c.cdrs {
		c.keyless = nil
		c.nameDifference(bCDR, c.logged(), "cdr %d: missing from the ingest log", "cdr %d: the ingest log names it %d times")
	}
	return nil
}

func (c *checker) logged() (numbers []uint64) {
	cur := c.tx.Txn.Cursor(bCDRLog)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		for ; len(v) >= 8; v = v[8:] {
			numbers = append(numbers, kv.ID(v[:8]))
		}
	}
	slices.Sort(numbers)
	return numbers
}

// late checks the calls that wait for an invoice or fell to a later one, and the calls kept from before
// a rerating.
func (c *checker) late() error {
	var cdr rating.CDR
	cur := c.tx.Txn.Cursor(bCDRLate)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		if len(k) != 16 || len(v) != 8 {
			c.fault("the late call %x is damaged", k)
			continue
		}
		account, id := kv.ID(k[:8]), rating.CDRID(kv.ID(k))
		err := c.tx.CDR(id, &cdr)
		switch {
		case err != nil && rating.KindOf(err) == rating.NotFound:
			c.fault("account %d: its late calls name CDR %d, which does not exist", account, id)
		case err == nil && uint64(cdr.Customer()) != account && uint64(cdr.Vendor()) != account:
			c.fault("account %d: its late calls name CDR %d, which is not its own", account, id)
		}
		if in := kv.ID(v); in != 0 {
			c.refer("late cdr", uint64(id), "invoice", in, c.tx.Invoices.Has)
		}
	}
	cur = c.tx.Txn.Cursor(bCDRRevision)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		if len(k) < 8 || c.tx.Txn.Get(bCDR, k[:8]) == nil {
			c.fault("an earlier revision is kept of CDR %d, which does not exist", kv.ID(k[:min(8, len(k))]))
		}
	}
	return nil
}
