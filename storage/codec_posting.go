package storage

import (
	"encoding/binary"
	"time"

	"billd/rating"
)

// A posting row is
//
//	layout         1 byte
//	kind           1 byte
//	debit, credit  12 bytes each: Ledger.Key
//	amount         8 bytes
//	at             8 bytes: microseconds since 1970
//	account        varint
//	texts          ref, text, service, source
const postingLayout = 1

// ledgerKeyLen is the length of Ledger.Key.
const ledgerKeyLen = 12

// appendPosting appends p as a row to dst; its number is the row's key. At is kept to the microsecond.
func appendPosting(dst []byte, p *rating.Posting) []byte {
	dst = append(dst, postingLayout, byte(p.Kind))
	dst = append(dst, p.Debit.Key()...)
	dst = append(dst, p.Credit.Key()...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.Amount))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.At.UnixMicro()))
	dst = binary.AppendUvarint(dst, uint64(p.Account))
	for _, s := range [...]string{p.Ref, p.Text, p.Service, p.Source} {
		dst = appendText(dst, s)
	}
	return dst
}

// decodePosting makes p the posting that row b holds under key id. It keeps nothing of b: the texts of p
// share one copy. Fails with Internal if b is damaged or a newer billd wrote it; p is then not to be used.
func decodePosting(id uint64, b []byte, p *rating.Posting) error {
	if err := checkLayout(b, "posting", postingLayout); err != nil {
		return err
	}
	r := rowReader{b: b[1:]}
	*p = rating.Posting{ID: id, Kind: rating.PostingKind(r.u8())}
	debit, credit := r.take(ledgerKeyLen), r.take(ledgerKeyLen)
	p.Amount = rating.Money(r.i64())
	p.At = time.UnixMicro(r.i64()).UTC()
	p.Account = rating.AccountID(r.uvarint())
	r.texts(&p.Ref, &p.Text, &p.Service, &p.Source)
	switch {
	case r.failed:
		return damagedRow("posting", "it is cut short")
	case len(r.b) > 0:
		return damagedRow("posting", "bytes follow its last column")
	}
	var err error
	if p.Debit, err = rating.LedgerFromKey(debit); err != nil {
		return err
	}
	p.Credit, err = rating.LedgerFromKey(credit)
	return err
}
