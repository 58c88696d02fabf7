package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

func TestASampleStoreIsSound(t *testing.T) {
	s := openSample(t)
	clean(t, s.DB)
	if s.first.Spent == 0 || s.first.Earned == 0 || s.first.ServiceCount != 1 || s.first.Number == 0 {
		t.Errorf("first invoice = %+v, want calls both ways, a service and a number", s.first)
	}
	s.view(func(tx *Tx) error {
		if _, err := tx.Postings.Find(bPostingRef, textKey(roundingRef(s.first.ID))); err != nil {
			t.Errorf("rounding of invoice %d: %v, want it posted", s.first.ID, err)
		}
		taken := 0
		err := tx.eachLate(s.customer.ID, func(_ rating.CDRID, in uint64) error {
			if in == s.second.ID {
				taken++
			}
			return nil
		})
		if taken != 4 {
			t.Errorf("late calls on the second invoice = %d, want 4", taken)
		}
		if n := tx.Suspense.Count(); n != 5 {
			t.Errorf("suspense = %d records, want 5", n)
		}
		return err
	})
}

// planted is a fault as a disk, a bug or a hand could leave it, past all that keeps rows whole.
type planted struct {
	name  string
	plant func(s *sampleStore, tx *Tx) error
	want  func(s *sampleStore) []string // parts of one fault's sentence each
}

func TestCheckFindsEachPlantedFault(t *testing.T) {
	for _, tt := range plantedFaults {
		t.Run(tt.name, func(t *testing.T) {
			s := openSample(t)
			// faults are planted in the buckets, so the entries in memory go there first
			if err := s.DB.flushTail(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.update(func(tx *Tx) error { return tt.plant(s, tx) })
			found := s.faults()
			for _, want := range tt.want(s) {
				if !strings.Contains(strings.Join(found, "\n"), want) {
					t.Errorf("check found %q, want a fault with %q", found, want)
				}
			}
		})
	}
}

// said makes the wanted part of a sentence.
func said(parts ...string) func(*sampleStore) []string {
	return func(*sampleStore) []string { return parts }
}

// of makes a wanted part that names a call of the sample.
func of(format string, id func(*sampleStore) rating.CDRID) func(*sampleStore) []string {
	return func(s *sampleStore) []string { return []string{fmt.Sprintf(format, id(s))} }
}

// dropFirst deletes the first key of a bucket under a prefix.
func dropFirst(b kv.Bucket, under ...byte) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error {
		k, _ := tx.Txn.Cursor(b).Seek(under)
		if k == nil || !bytes.HasPrefix(k, under) {
			return fmt.Errorf("bucket %s holds nothing under %x", BucketNames()[b], under)
		}
		return tx.Txn.Delete(b, bytes.Clone(k))
	}
}

// put writes a key past everything.
func put(b kv.Bucket, key, value []byte) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error { return tx.Txn.Put(b, key, value) }
}

// alter rewrites a JSON row past its table.
func alter[T any](b kv.Bucket, id uint64, change func(*T)) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error { return alterRow(tx, b, id, change) }
}

func alterRow[T any](tx *Tx, b kv.Bucket, id uint64, change func(*T)) error {
	key := kv.Key(nil).U64(id)
	raw := tx.Txn.Get(b, key)
	var v T
	if len(raw) == 0 {
		return fmt.Errorf("%s %d does not exist", BucketNames()[b], id)
	}
	if err := json.Unmarshal(raw[1:], &v); err != nil {
		return err
	}
	change(&v)
	now, err := encodeJSON(nil, &v)
	if err != nil {
		return err
	}
	return tx.Txn.Put(b, key, now)
}

// alterCDR rewrites the sample's first call.
func alterCDR(change func(*rating.CDR)) func(*sampleStore, *Tx) error {
	return func(s *sampleStore, tx *Tx) error {
		var c rating.CDR
		if err := tx.CDR(firstCall(s), &c); err != nil {
			return err
		}
		change(&c)
		return tx.Txn.Put(bCDR, kv.Key(nil).U64(uint64(c.ID)), appendCDR(nil, &c))
	}
}

func firstCall(s *sampleStore) (id rating.CDRID) {
	s.view(func(tx *Tx) error {
		k, _ := tx.Txn.Cursor(bCDR).First()
		id = rating.CDRID(kv.ID(k))
		return nil
	})
	return id
}

// firstCallOf is firstCall inside a transaction that may have changed it.
func firstCallOf(tx *Tx) []byte {
	k, _ := tx.Txn.Cursor(bCDR).First()
	return bytes.Clone(k)
}

func alterPosting(id uint64, change func(*rating.Posting)) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error {
		p, err := tx.Postings.Get(id)
		if err != nil {
			return err
		}
		change(p)
		return tx.Txn.Put(bPosting, kv.Key(nil).U64(id), appendPosting(nil, p))
	}
}

// ghost is the number of a call that does not exist.
var ghost = rating.MakeCDRID(testClock.UnixMilli(), 7)

func ghostKey() []byte { return kv.Key(nil).U64(uint64(ghost)) }

var plantedFaults = []planted{
	// keys
	{"a unique key is missing", dropFirst(bAccountName), said("account 4: its name does not find it")},
	{"a unique key leads to another row", put(bAccountName, textKey("Tiny"), kv.Key(nil).U64(2)), said("account 3: its name does not find it", "account 2: found by name")},
	{"a unique key leads nowhere", put(bAccountName, textKey("ghost"), kv.Key(nil).U64(99)), said(`account: name "ghost\x00" leads to row 99, which does not exist`)},
	{"an index key is missing", dropFirst(bAccountContractor, 0, 0, 0, 0, 0, 0, 0, 2), said("account 2: missing from its index")},
	{"an index key leads nowhere", put(bRateDeck, kv.Key(deckKey(1, "49")).U64(77), nil), said("leads to row 77, which does not exist")},
	{"an index key is another row's", put(bPaymentAccount, kv.Key(nil).U64(3).U64(1), nil), said("payment 1: found by index key")},
	{"a posting is missing from its ledger", dropFirst(bPostingLedger), said("missing from its index")},
	{"a row of a length that no number has", put(bContractor, []byte("abc"), []byte("x")), said("contractor: key of 3 bytes, want 8")},
	// rows that do not decode
	{"a network prefix is under a number that stands for none", put(bNetworkPrefix, kv.Key(nil).U64(244), []byte{1, 0, 9, 0, 1}), said("network prefix 244: ", "its number stands for no prefix")},
	{"an account does not decode", put(bAccount, kv.Key(nil).U64(3), []byte{1, '{'}), said("account 3: row does not decode")},
	{"a rate does not decode", put(bRate, kv.Key(nil).U64(2), []byte{9, 9}), said("rate 2: ")},
	{"a posting does not decode", put(bPosting, kv.Key(nil).U64(2), []byte{0xff}), said("posting 2: ")},
	{"an invoice does not decode", put(bInvoice, kv.Key(nil).U64(1), []byte{1, '['}), said("invoice 1: row does not decode")},
	{"a held record does not decode", put(bSuspense, kv.Key(nil).U64(1), nil), said("suspense 1: empty row")},
	{"a row of a newer form", put(bDeck, kv.Key(nil).U64(2), []byte{2, '{', '}'}), said("deck 2: row of form 2")},
	{"a CDR does not decode", func(_ *sampleStore, tx *Tx) error { return tx.Txn.Put(bCDR, firstCallOf(tx), []byte{77}) }, of("cdr %d: ", firstCall)},
	{"a CDR is cut short", func(_ *sampleStore, tx *Tx) error {
		k := firstCallOf(tx)
		v := bytes.Clone(tx.Txn.Get(bCDR, k))
		return tx.Txn.Put(bCDR, k, v[:len(v)-3])
	}, of("cdr %d: ", firstCall)},
	{"a balance does not decode", func(s *sampleStore, tx *Tx) error {
		return tx.Txn.Put(bBalance, AccountLedger(s.tiny).Key(), []byte{0x80})
	}, said("balance of account 3 EUR: a balance row does not decode")},
	{"a balance has a damaged key", put(bBalance, []byte("xx"), []byte{0, 0, 0, 0}), said("balance: ledger key of 2 bytes")},
	{"a tally does not decode", func(_ *sampleStore, tx *Tx) error {
		k, _ := tx.Txn.Cursor(bTally).First()
		return tx.Txn.Put(bTally, bytes.Clone(k), []byte{0x80})
	}, said("a day tally does not decode")},
	{"a tally has a damaged key", put(bTally, []byte("xx"), []byte{1, 1, 1, 1, 1, 1}), said("tally: key 7878 is damaged")},
	{"a call key has a damaged value", func(_ *sampleStore, tx *Tx) error {
		k, _ := tx.Txn.Cursor(bCDRCall).Last()
		return tx.Txn.Put(bCDRCall, bytes.Clone(k), []byte{1})
	}, said("a call key leads to a damaged value", "the key that makes it once does not lead to it")},
	{"a log row is damaged", put(bCDRLog, kv.Key(nil).U64(900), []byte{1, 2, 3}), said("the ingest log's row 0000000000000384 is damaged")},
	{"a network prefix of a network that does not exist", put(bNetworkPrefix, kv.Key(nil).U64(144), appendNetworkPrefix(nil, &NetworkPrefix{Network: 99999, MaxLength: 9})), said("network prefix 144: refers to network 99999, which does not exist")},
	{"a network prefix of a country that does not exist", put(bNetworkPrefix, kv.Key(nil).U64(144), appendNetworkPrefix(nil, &NetworkPrefix{Network: 1, Country: 99999, MaxLength: 9})), said("network prefix 144: refers to country 99999, which does not exist")},
	{"a network prefix that admits no number", put(bNetworkPrefix, kv.Key(nil).U64(144), appendNetworkPrefix(nil, &NetworkPrefix{Network: 1, MinLength: 9})), said("network prefix 144: network prefix 44: numbers of 9 to 0 digits")},
	// calls
	{"a CDR is missing", func(_ *sampleStore, tx *Tx) error { return tx.Txn.Delete(bCDR, firstCallOf(tx)) },
		said("the ingest log names CDR", "a call key leads to CDR", "its calls name CDR", "tally of account 2", "balance of account 2 EUR")},
	{"a CDR too many", func(_ *sampleStore, tx *Tx) error {
		return tx.Txn.Put(bCDR, ghostKey(), bytes.Clone(tx.Txn.Get(bCDR, firstCallOf(tx))))
	}, said(fmt.Sprintf("cdr %d: missing from the ingest log", ghost), fmt.Sprintf("cdr %d: missing from the calls of account 2", ghost), fmt.Sprintf("cdr %d: the key that makes it once does not lead to it", ghost))},
	{"a CDR under a number of another time", alterCDR(func(c *rating.CDR) { c.SetInt(rating.CDRTimeStart, c.Int(rating.CDRTimeStart)+1_000_000) }), of("cdr %d: starts at", firstCall)},
	{"a CDR with another price", alterCDR(func(c *rating.CDR) {
		c.SetInt(rating.CDRCustomerPrice, 5_000_000)
		c.SetInt(rating.CDRCustomerPriceNoVAT, 4_000_000)
	}), said("balance of account 2 EUR", "tally of account 2", "invoice 1:")},
	{"a CDR with a price that no sum can hold", alterCDR(func(c *rating.CDR) {
		c.SetInt(rating.CDRCustomerPrice, int64(rating.MaxMoney))
		c.SetInt(rating.CDRCustomerPriceNoVAT, -int64(rating.MaxMoney))
	}), said("cdr ")},
	{"a CDR of an account that does not exist", alterCDR(func(c *rating.CDR) { c.SetInt(rating.CDRCustomerAccID, 99) }), said("refers to account 99, which does not exist", "account 2: its calls name CDR")},
	{"a CDR of a vendor that does not exist", alterCDR(func(c *rating.CDR) { c.SetInt(rating.CDRVendorAccID, 98) }), said("refers to account 98, which does not exist", "account 4: its calls name CDR")},
	{"a CDR whose origin changed", alterCDR(func(c *rating.CDR) { c.Origin = rating.History }), said("tally of account 2", "history: none stored", "balance of account 4 EUR")},
	{"an account's index lacks a call", dropFirst(bCDRCustomer, 0, 0, 0, 0, 0, 0, 0, 2), of("cdr %d: missing from the calls of account 2", firstCall)},
	{"an account's index names no call", put(bCDRVendor, kv.Key(nil).U64(4).U64(uint64(ghost)), nil), said(fmt.Sprintf("account 4: its calls name CDR %d, which does not exist", ghost))},
	{"an account's index names another's call", func(_ *sampleStore, tx *Tx) error {
		return tx.Txn.Put(bCDRCustomer, append(kv.Key(nil).U64(5), firstCallOf(tx)...), nil)
	}, of("account 5: its calls name CDR %d, which is not its own", firstCall)},
	{"a call key is missing", func(s *sampleStore, tx *Tx) error {
		var call rating.Call
		if err := tx.CDR(firstCall(s), &call.CDR); err != nil {
			return err
		}
		key, _ := call.Key()
		return tx.Txn.Delete(bCDRCall, callKey(key, 0))
	}, of("cdr %d: the key that makes it once does not lead to it", firstCall)},
	{"the key of a call without id is missing", func(_ *sampleStore, tx *Tx) error {
		k, _ := keyOfUnidentified(tx)
		return tx.Txn.Delete(bCDRCall, k)
	}, func(s *sampleStore) []string { return []string{": no key makes it once"} }},
	{"two keys lead to one call", func(_ *sampleStore, tx *Tx) error {
		_, v := keyOfUnidentified(tx)
		return tx.Txn.Put(bCDRCall, callKey(rating.CallKey{Minute: 5, Hash: 5}, 0), bytes.Clone(v))
	}, said(": 2 keys lead to it, want one")},
	{"a call key leads to nothing", put(bCDRCall, callKey(rating.CallKey{Minute: 9, Hash: 9}, 0), kv.Key(nil).U64(uint64(ghost)).U64(1).U8(0)), said(fmt.Sprintf("a call key leads to CDR %d, which does not exist", ghost))},
	{"a call key leads to no held record", put(bCDRCall, callKey(rating.CallKey{Minute: 9, Hash: 9}, 0), kv.Key(nil).U64(99).U64(1).U8(1)), said("a call key leads to suspense 99, which does not exist")},
	{"a held record is gone", dropFirst(bSuspense), said("a call key leads to suspense 1, which does not exist")},
	{"a held record that no key finds", alterCopy[Suspended](bSuspense, 1, 77), said("suspense 77: no key leads to it")},
	{"the ingest log has a gap", dropFirst(bCDRLog), said(": missing from the ingest log")},
	{"the ingest log names a call twice and another never", func(_ *sampleStore, tx *Tx) error {
		k, v := tx.Txn.Cursor(bCDRLog).First()
		v = bytes.Clone(v)
		copy(v[8:16], v[:8])
		return tx.Txn.Put(bCDRLog, bytes.Clone(k), v)
	}, said("the ingest log names it 2 times", ": missing from the ingest log")},
	{"the ingest log jumps", func(_ *sampleStore, tx *Tx) error {
		k, v := tx.Txn.Cursor(bCDRLog).Last()
		k, v = bytes.Clone(k), bytes.Clone(v)
		if err := tx.Txn.Delete(bCDRLog, k); err != nil {
			return err
		}
		return tx.Txn.Put(bCDRLog, kv.Key(nil).U64(kv.ID(k)+5), v)
	}, said("the ingest log goes on at")},
	{"the ingest log names no call", put(bCDRLog, kv.Key(nil).U64(900), ghostKey()), said(fmt.Sprintf("the ingest log names CDR %d, which does not exist", ghost))},
	{"a revision of no call", put(bCDRRevision, append(ghostKey(), 0, 0, 0, 1), []byte{1}), said(fmt.Sprintf("an earlier revision is kept of CDR %d", ghost))},
	{"a late call that does not exist", put(bCDRLate, kv.Key(nil).U64(2).U64(uint64(ghost)), kv.Key(nil).U64(0)), said(fmt.Sprintf("account 2: its late calls name CDR %d, which does not exist", ghost))},
	{"a late call of another account", func(_ *sampleStore, tx *Tx) error {
		return tx.Txn.Put(bCDRLate, append(kv.Key(nil).U64(5), firstCallOf(tx)...), kv.Key(nil).U64(0))
	}, of("account 5: its late calls name CDR %d, which is not its own", firstCall)},
	{"a late call on no invoice", func(_ *sampleStore, tx *Tx) error {
		k, _ := tx.Txn.Cursor(bCDRLate).First()
		return tx.Txn.Put(bCDRLate, bytes.Clone(k), kv.Key(nil).U64(99))
	}, said("refers to invoice 99, which does not exist", "invoice 2:")},
	{"a late call is forgotten", dropFirst(bCDRLate), said("invoice 1:", "invoice 2:")},
	// money
	{"a balance is altered", func(s *sampleStore, tx *Tx) error {
		return tx.Txn.Put(bBalance, AccountLedger(s.tiny).Key(), balanceRow(0, 0, 0, 5))
	}, said("balance of account 3 EUR: stored 0.000005", "ledger: all balances in EUR sum to")},
	{"a balance has calls under postings", func(s *sampleStore, tx *Tx) error {
		b, err := tx.storedBalance(AccountLedger(s.tiny).Key())
		if err != nil {
			return err
		}
		return tx.Txn.Put(bBalance, AccountLedger(s.tiny).Key(), balanceRow(b.CallDebits-1, b.CallCredits, b.Debits+1, b.Credits))
	}, said("balance of account 3 EUR: stored calls +")},
	{"a balance is gone", func(s *sampleStore, tx *Tx) error { return tx.Txn.Delete(bBalance, AccountLedger(s.tiny).Key()) }, said("balance of account 3 EUR: none stored")},
	{"a balance of no account", put(bBalance, rating.Ledger{Kind: rating.LedgerAccount, Currency: rating.Currency{'E', 'U', 'R'}, Account: 99}.Key(), balanceRow(0, 0, 0, 0)), said("balance of account 99 EUR: the account does not exist")},
	{"a tally is altered", func(_ *sampleStore, tx *Tx) error {
		k, v := tx.Txn.Cursor(bTally).First()
		t, err := decodeTally(v)
		if err != nil {
			return err
		}
		t.Answered++
		return tx.Txn.Put(bTally, bytes.Clone(k), appendTally(nil, t))
	}, said("tally of account ")},
	{"a tally is gone", dropFirst(bTally), said(": none stored; its calls make")},
	{"a tally of a day without calls", put(bTally, tallyKey{Day: 9, Account: 2}.bytes(), appendTally(nil, rating.Tally{Calls: 3})), said("tally of account 2 on 1970-01-10")},
	{"a posting is deleted", dropFirst(bPosting), said("payment 1: refers to posting 1, which does not exist", "leads to row 1, which does not exist", "balance of account 2 EUR")},
	{"a posting's amount is changed", alterPosting(1, func(p *rating.Posting) { p.Amount++ }), said("payment 1: 25.0 of account 2, its posting 1 moves 25.000001", "balance of account 2 EUR", "balance of cash EUR")},
	{"a posting of nothing", alterPosting(2, func(p *rating.Posting) { p.Amount = 0 }), said("posting 2: posting amount 0.0: want more than 0")},
	{"a posting to itself", alterPosting(2, func(p *rating.Posting) { p.Debit = p.Credit }), said("posting 2: ")},
	{"a posting of no account", alterPosting(2, func(p *rating.Posting) { p.Debit.Account = 99 }), said("posting 2: refers to account 99, which does not exist")},
	// invoices
	{"an invoice's total is changed", alter(bInvoice, 1, func(v *rating.Invoice) { v.Spent++ }), said("invoice 1: spent")},
	{"an invoice's count is changed", alter(bInvoice, 2, func(v *rating.Invoice) { v.Originated.Calls++ }), said("invoice 2: spent")},
	{"an invoice loses its number", alter(bInvoice, 1, func(v *rating.Invoice) { v.Number = 0 }), said("invoice 1: approved without a number")},
	{"an invoice's rounding is gone", func(s *sampleStore, tx *Tx) error {
		return tx.Txn.Delete(bPostingRef, textKey(roundingRef(s.first.ID)))
	}, said("invoice 1: its rounding is posted as 0.0", "its ref does not find it")},
	{"an invoice of no account", alter(bInvoice, 3, func(v *rating.Invoice) { v.Account = 99 }), said("invoice 3: refers to account 99, which does not exist")},
	{"an invoice is filled again from nothing", alter(bInvoice, 2, func(v *rating.Invoice) { v.State = rating.InvoiceNew }), said("invoice 2: not filled yet, but has")},
	{"an account forgets how far it is invoiced", alter(bAccount, 2, func(a *rating.Account) { a.InvoicedTill = a.CreatedAt.AddDate(-1, 0, 0) }), said("invoice 1: ends after what account 2 is marked as invoiced till")},
	{"a line is removed", func(_ *sampleStore, tx *Tx) error { return tx.Lines.Delete(1) }, said("invoice 1: ", " lines, its calls and postings make ")},
	{"a line's amount is changed", alter(bInvoiceLine, 1, func(l *rating.InvoiceLine) { *l.Amount++ }), said("invoice 1: line 1 is")},
	{"a line's amount is null", alter(bInvoiceLine, 1, func(l *rating.InvoiceLine) { l.Amount = nil }), said("invoice 1: line 1 is", "amount null")},
	{"a line's prefix is changed", alter(bInvoiceLine, 1, func(l *rating.InvoiceLine) { p := "1"; l.Prefix = &p }), said("invoice 1: line 1 is")},
	{"a line of no invoice", alterCopyOf(bInvoiceLine, 1, 777, func(l *rating.InvoiceLine) { l.Invoice = 99 }), said("invoice line 777: refers to invoice 99, which does not exist")},
	{"a document of no invoice", put(bDocument, kv.Key(nil).U64(99), []byte{1, '{', '}'}), said("document 99: refers to invoice 99, which does not exist")},
	// references
	{"an account of no contractor", alter(bAccount, 3, func(a *rating.Account) { a.Contractor = 99 }), said("account 3: refers to contractor 99, which does not exist")},
	{"an account below none", alter(bAccount, 3, func(a *rating.Account) { a.Parent = 99 }), said("account 3: refers to account 99, which does not exist")},
	{"an account of no rateplan", alter(bAccount, 3, func(a *rating.Account) { a.RatePlan = 99 }), said("account 3: refers to rateplan 99, which does not exist")},
	{"an account is gone", func(s *sampleStore, tx *Tx) error { return tx.Txn.Delete(bAccount, kv.Key(nil).U64(3)) }, said("refers to account 3, which does not exist", "balance of account 3 EUR: the account does not exist")},
	{"a contact of no contractor", alter(bContact, 1, func(c *Contact) { c.Contractor = 99 }), said("contact 1: refers to contractor 99, which does not exist")},
	{"a plan of no deck", alter(bRatePlan, 1, func(p *rating.RatePlan) { p.Decks = append(p.Decks, 99) }), said("rateplan 1: refers to deck 99, which does not exist")},
	{"a deck of no vendor", alter(bDeck, 2, func(d *rating.Deck) { d.Vendor = 99 }), said("deck 2: refers to account 99, which does not exist")},
	{"a deck is gone", func(_ *sampleStore, tx *Tx) error { return tx.Txn.Delete(bDeck, kv.Key(nil).U64(1)) }, said("rateplan 1: refers to deck 1, which does not exist", "rate 1: refers to deck 1, which does not exist")},
	{"the end of no rate", put(bRateClose, kv.Key(nil).U64(1).U64(99), make([]byte, 12)), said("the end of rate 99 is noted, which does not exist")},
	{"a login of no contractor", alter(bAccess, 1, func(a *Access) { a.Customer = 99 }), said("access 1: refers to contractor 99, which does not exist")},
	{"a login to no account", alter(bAccess, 1, func(a *Access) { a.Accounts = append(a.Accounts, 99) }), said("access 1: refers to account 99, which does not exist")},
	{"a customers-auth of no contractor", alter(bCustomersAuth, 1, func(a *CustomersAuth) { a.Customer = 99 }), said("customers auth 1: refers to contractor 99, which does not exist", "customers auth 1: missing from its index")},
	{"a customers-auth of no account", alter(bCustomersAuth, 1, func(a *CustomersAuth) { a.Account = 99 }), said("customers auth 1: refers to account 99, which does not exist")},
	{"a customers-auth of no plan", alter(bCustomersAuth, 1, func(a *CustomersAuth) { a.RatePlan = 99 }), said("customers auth 1: refers to rateplan 99, which does not exist")},
	{"a source of no account", alter(bSource, 1, func(v *Source) { v.Pay[0].Account = 99 }), said("source 1: refers to account 99, which does not exist")},
	{"a source's rule that cannot be read", alter(bSource, 1, func(v *Source) { v.Called[0] = "lose +" }), said("source 1: number rule \"lose +\"")},
	{"a dialog of no call", alter(bDialog, 1, func(d *Dialog) { d.CDR = 99 }), said("dialog 1: refers to CDR 99, which does not exist")},
	{"a dialog of no half", alter(bDialog, 1, func(d *Dialog) { d.EndAt = time.Time{} }), said("dialog 1: waits, and has not one half")},
	{"a dialog of no call's columns", alter(bDialog, 1, func(d *Dialog) { d.StartAt, d.EndAt, d.Suspense = d.EndAt, time.Time{}, 1 }), said("dialog 1: has no call")},
	{"a dialog that is not found by its key", dropFirst(bDialogKey), said("dialog 1: its key does not find it")},
	{"a dialog that is never looked at", dropFirst(bDialogDue), said("dialog 1: missing from its index")},
	{"a source's name is not found", dropFirst(bSourceName), said("source 1: its name does not find it")},
	{"a switch's name is not found", dropFirst(bSwitchName), said("switch 1: its name does not find it")},
	{"a customers-auth's name is not found", dropFirst(bCustomersAuthName), said("customers auth 1: its name does not find it")},
	{"an import profile's name is not found", dropFirst(bImportProfileName), said("import profile 1: its name does not find it")},
	{"a growing file's name is not found", dropFirst(bTailFile), said("tail 1: its file does not find it")},
	{"a NAS's name is not found", dropFirst(bNASName), said("nas 1: its name does not find it")},
	{"a NAS of no source", alter(bNAS, 1, func(n *NAS) { n.Source = "gone" }), said("nas 1: refers to source gone, which does not exist")},
	{"a NAS's network is not found", dropFirst(bNASNetwork), said("nas 1: its network does not find it")},
	{"an end kept for undoing no import", put(bImportUndo, kv.Key(nil).U64(99).U64(1), make([]byte, 8)), said("an end kept for undoing, of rate 1: refers to import 99, which does not exist")},
	{"an end kept for undoing that is cut", put(bImportUndo, kv.Key(nil).U64(99), nil), said("an end that is kept for undoing has a key of 8 bytes and a value of 0")},
	{"an invoice template's name is not found", dropFirst(bInvoiceTemplateName), said("invoice template 1: its name does not find it")},
	{"a user of no account", alter(bUser, 1, func(u *User) { u.Account = 99 }), said("user 1: refers to account 99, which does not exist")},
	{"a payment of no account", alter(bPayment, 1, func(p *Payment) { p.Account = 99 }), said("payment 1: refers to account 99, which does not exist")},
	{"a message about no account", put(bOutbox, kv.Key(nil).U64(9), []byte("\x01"+`{"key":"k","account":99,"mail":{"to":"x","subject":"","text":"","invoice":98}}`)),
		said("message 9: refers to account 99, which does not exist", "message 9: refers to invoice 98, which does not exist", "message 9: missing from its index", "message 9: its key does not find it")},
	{"a message that says nothing", put(bOutbox, kv.Key(nil).U64(9), []byte("\x01{}")), said("message 9: want either an e-mail or a web request")},
	{"a reservation that its account does not show", reserved(func(tx *Tx, r *Reservation) error {
		return tx.Txn.Delete(bReserved, kv.Key(nil).U64(uint64(r.Account)))
	}), said("reserved of account 2: none stored, its reservations hold 0.5 for 1 and 0 calls")},
	{"an account shows more than its reservations hold", reserved(func(tx *Tx, r *Reservation) error {
		return tx.Txn.Put(bReserved, kv.Key(nil).U64(uint64(r.Account)), appendReserved(nil, &rating.Reserved{Amount: 600_000, Originated: 1}))
	}), said("reserved of account 2: 0.6 for 1 and 0 calls, its reservations hold 0.5 for 1 and 0")},
	{"a vendor shows calls that it has not", put(bReserved, kv.Key(nil).U64(4), appendReserved(nil, &rating.Reserved{Terminated: 3})), said("reserved of account 4: 0.0, it has no reservation")},
	{"what an account has reserved does not decode", put(bReserved, kv.Key(nil).U64(4), []byte{0x80}), said("reserved of account 4: what an account has reserved does not decode")},
	{"a reservation does not decode", reserved(func(tx *Tx, r *Reservation) error { return tx.Txn.Put(bReservation, kv.Key(nil).U64(r.ID), []byte{9}) }), said("reservation 1: row does not decode", "reserved of account 2: 0.5, it has no reservation")},
	{"a reservation of no account", reserved(func(tx *Tx, r *Reservation) error {
		r.Account = 99
		return tx.Txn.Put(bReservation, kv.Key(nil).U64(r.ID), appendReservation(nil, r))
	}), said("reservation 1: refers to account 99, which does not exist", "reservation 1: its call_id does not find it")},
	{"a reservation that is not swept", reserved(func(tx *Tx, r *Reservation) error {
		return tx.Txn.Delete(bReservationDue, kv.Key(nil).Milli(r.ExpiresAt).U64(r.ID))
	}), said("reservation 1: missing from its index")},
	{"a notice of no account", put(bBalanceNotice, kv.Key(nil).U64(99), []byte("\x01{}")), said("balance notice 99: refers to account 99, which does not exist")},
	{"the paper of a draft is due", put(bInvoicePaper, kv.Key(nil).U64(2), nil), said("invoice 2: its paper is due, but it is not approved")},
	{"an invoice's VAT is changed", alter(bInvoice, 1, func(v *rating.Invoice) { v.VAT[0].Tax++ }), said("invoice 1: spent")},
	{"a payment without posting", alter(bPayment, 1, func(p *Payment) { p.Posting = 0 }), said("payment 1: refers to posting 0, which does not exist")},
}

// reserved plants a fault in a reservation of the sample's customer for a call that its vendor terminates.
func reserved(plant func(*Tx, *Reservation) error) func(*sampleStore, *Tx) error {
	return func(s *sampleStore, tx *Tx) error {
		r := &Reservation{Account: s.customer.ID, Vendor: s.vendor.ID, Amount: 500_000, CallID: "a", CreatedAt: testClock, ExpiresAt: testClock.Add(time.Hour)}
		if err := tx.putReservation(r); err != nil {
			return err
		}
		return plant(tx, r)
	}
}

func balanceRow(sums ...rating.Money) (b []byte) {
	for _, m := range sums {
		b = binary.AppendVarint(b, int64(m))
	}
	return b
}

// keyOfUnidentified finds the call key of the sample's only call without an id.
func keyOfUnidentified(tx *Tx) (key, value []byte) {
	c := tx.Txn.Cursor(bCDRCall)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		at, err := callValueFrom(v)
		var cdr rating.CDR
		if err == nil && !at.held && tx.CDR(rating.CDRID(at.number), &cdr) == nil && cdr.CallID() == "" {
			return bytes.Clone(k), bytes.Clone(v)
		}
	}
	return nil, nil
}

func alterCopy[T any](b kv.Bucket, from, to uint64) func(*sampleStore, *Tx) error {
	return alterCopyOf(b, from, to, func(*T) {})
}

// alterCopyOf writes a changed copy of a row under another number.
func alterCopyOf[T any](b kv.Bucket, from, to uint64, change func(*T)) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error {
		if err := tx.Txn.Put(b, kv.Key(nil).U64(to), bytes.Clone(tx.Txn.Get(b, kv.Key(nil).U64(from)))); err != nil {
			return err
		}
		return alterRow(tx, b, to, change)
	}
}

func TestCheckCanBeInterrupted(t *testing.T) {
	s := openSample(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx, true, func(string) {}); err == nil {
		t.Error("Check = nil, want the context's error")
	}
}
