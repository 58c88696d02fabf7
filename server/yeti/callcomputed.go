package yeti

import (
	"slices"
	"strings"

	"billd/rating"
	"billd/storage"
)

// computed returns the test of a condition on what no column holds: a call's number, its UUID, the
// invoices that it is on, the types of its networks. It returns nil for every other condition.
func (s *callSearch) computed(name, op string, values []string) callTest {
	not := op == "not_eq" || op == "not_in"
	switch name {
	case "id":
		among := numberRanges(rating.KindInt, op, values)
		return func(row *storage.CallRow) (bool, error) { return among.Hold(int64(row.ID())) != not, nil }
	case "uuid":
		numbers, given := s.uuids(values)
		return func(row *storage.CallRow) (bool, error) {
			own := row.Bytes(rating.CDRUUID)
			if own == nil {
				return slices.Contains(numbers, row.ID()) != not, nil
			}
			return slices.Contains(given, string(own)) != not, nil
		}
	case "customer_invoice_id":
		return s.onInvoice(rating.CDRCustomerAccID, numberRanges(rating.KindInt, op, values), not)
	case "vendor_invoice_id":
		return s.onInvoice(rating.CDRVendorAccID, numberRanges(rating.KindInt, op, values), not)
	case "dst_network_type_id":
		return s.ofNetworkType(rating.CDRDstNetworkID, numberRanges(rating.KindInt, op, values), not)
	case "src_network_type_id":
		return s.ofNetworkType(rating.CDRSrcNetworkID, numberRanges(rating.KindInt, op, values), not)
	}
	return nil
}

// onInvoice tests the number of the invoice that a call is on for the account in a column; a call that
// is on none fails every operator.
func (s *callSearch) onInvoice(account rating.CDRField, among storage.CallRanges, not bool) callTest {
	find := s.r.Tx.InvoiceFinder()
	return func(row *storage.CallRow) (bool, error) {
		id, _ := row.Int(account)
		if id == 0 {
			return false, nil
		}
		start, _ := row.Int(rating.CDRTimeStart)
		n, err := find.Of(rating.AccountID(id), row.ID(), start)
		return n != 0 && among.Hold(int64(n)) != not, err
	}
}

// ofNetworkType tests the type of the network in a column; a call without one fails every operator.
func (s *callSearch) ofNetworkType(network rating.CDRField, among storage.CallRanges, not bool) callTest {
	numbering := s.r.Tx.Numbering()
	return func(row *storage.CallRow) (bool, error) {
		id, _ := row.Int(network)
		if id <= 0 {
			return false, nil
		}
		net := numbering.Network(uint64(id))
		return net != nil && net.Type != 0 && among.Hold(int64(net.Type)) != not, nil
	}
}

// uuids takes UUIDs apart: those that spell the number of a call, and all as they are written. A text
// that is no UUID is nobody's.
func (s *callSearch) uuids(values []string) (numbers []rating.CDRID, given []string) {
	for _, v := range values {
		u, err := rating.ParseUUID(strings.TrimSpace(v))
		if err != nil {
			continue
		}
		if id, ok := s.r.Tx.CDRNumber(u); ok {
			numbers = append(numbers, id)
		}
		given = append(given, u.String())
	}
	return numbers, given
}

// byUUID limits the search to the calls whose numbers UUIDs spell. One that spells none may have been
// given to any call.
func (s *callSearch) byUUID(values []string) {
	numbers, given := s.uuids(values)
	if len(numbers) < len(given) {
		return
	}
	s.ids = make([]string, len(numbers))
	for i, id := range numbers {
		s.ids[i] = decimal(id)
	}
}
