package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"billd/rating"
	"billd/storage/kv"
)

// reversalPrefix begins the keys in meta that gather what a run will post.
const reversalPrefix = "reversal:"

// reversalKey names a posting that a run gathers.
type reversalKey struct {
	account rating.AccountID
	side    rating.Side
	vat     rating.Percent
}

func (k reversalKey) bytes() []byte {
	return append([]byte(reversalPrefix), kv.Key(nil).U64(uint64(k.account)).U8(uint8(k.side)).U64(uint64(k.vat))...)
}

// gatherReversal adds to what the run will post. Amounts are effects on the account's balance.
func (tx *Tx) gatherReversal(k reversalKey, net, tax rating.Money) error {
	key := k.bytes()
	was, err := reversalFrom(tx.Txn.Get(bMeta, key))
	if err != nil {
		return err
	}
	if net, err = was[0].Add(net); err != nil {
		return err
	}
	if tax, err = was[1].Add(tax); err != nil {
		return err
	}
	return tx.Txn.Put(bMeta, key, binary.AppendVarint(binary.AppendVarint(nil, int64(net)), int64(tax)))
}

func reversalFrom(b []byte) (sums [2]rating.Money, err error) {
	if b == nil {
		return sums, nil
	}
	for i := range sums {
		n, size := binary.Varint(b)
		if size <= 0 {
			return sums, rating.Errorf(rating.Internal, "reversal", "a gathered reversal does not decode")
		}
		sums[i], b = rating.Money(n), b[size:]
	}
	return sums, nil
}

// settleReversals posts what a run gathered, also one that a crash ended.
func (db *DB) settleReversals(ctx context.Context) error {
	var waiting bool
	err := db.View(ctx, func(tx *Tx) error {
		k, _ := tx.Txn.Cursor(bMeta).Seek([]byte(reversalPrefix))
		waiting = bytes.HasPrefix(k, []byte(reversalPrefix))
		return nil
	})
	if err != nil || !waiting {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		run, err := tx.sequences().Next("rerate", 1)
		if err != nil {
			return err
		}
		gathered := map[string][]byte{}
		var keys []string
		c := tx.Txn.Cursor(bMeta)
		for k, v := c.Seek([]byte(reversalPrefix)); bytes.HasPrefix(k, []byte(reversalPrefix)); k, v = c.Next() {
			keys = append(keys, string(k))
			gathered[string(k)] = bytes.Clone(v)
		}
		for _, key := range keys {
			if err := tx.postReversal(run, []byte(key), gathered[key]); err != nil {
				return err
			}
			if err := tx.Txn.Delete(bMeta, []byte(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// postReversal posts what one account owes less, or more, for calls on approved paper: the net amount
// and its tax, against the ledgers that the calls were posted to.
func (tx *Tx) postReversal(run uint64, key, sums []byte) error {
	rest := key[len(reversalPrefix):]
	if len(rest) != 17 {
		return rating.Errorf(rating.Internal, "reversal", "a gathered reversal has a damaged key")
	}
	k := reversalKey{rating.AccountID(kv.ID(rest[:8])), rating.Side(rest[8]), rating.Percent(kv.ID(rest))}
	a, err := tx.Accounts.Get(uint64(k.account))
	if err != nil {
		return err
	}
	amounts, err := reversalFrom(sums)
	if err != nil {
		return err
	}
	other := rating.LedgerRevenue
	if k.side == rating.VendorSide {
		other = rating.LedgerCost
	}
	for i, part := range [...]struct {
		ledger rating.LedgerKind
		name   string
	}{{other, "net"}, {rating.LedgerTax, "tax"}} {
		if amounts[i] == 0 {
			continue
		}
		p := transfer(rating.PostingReversal, a, SystemLedger(part.ledger, a.Currency), amounts[i])
		p.Ref = fmt.Sprintf("reversal/%d/%d/%d/%d/%s", run, k.account, k.side, k.vat, part.name)
		p.Service = "per-minute-voip"
		p.Text = fmt.Sprintf("Rerating of invoiced calls, VAT %s%%, %s", k.vat, part.name)
		if _, err := tx.Post(p); err != nil {
			return err
		}
	}
	return nil
}
