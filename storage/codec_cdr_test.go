package storage

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// typicalCDR is an answered call as ingest stores it: 32 columns.
func typicalCDR(t testing.TB) *rating.CDR {
	t.Helper()
	start := time.Date(2025, 11, 21, 20, 59, 3, 417_000_000, time.UTC)
	c := &rating.CDR{ID: rating.MakeCDRID(start.UnixMilli(), 2), Revision: 1}
	for f, s := range map[rating.CDRField]string{
		rating.CDRTimeStart: "2025-11-21T20:59:03.417221Z", rating.CDRTimeConnect: "2025-11-21T20:59:09.1Z",
		rating.CDRTimeEnd: "2025-11-21T21:01:12.6Z", rating.CDRDuration: "124", rating.CDRSuccess: "true",
		rating.CDRCustomerAccID: "1023", rating.CDRDestinationID: "481516", rating.CDRRateplanID: "7",
		rating.CDRCustomerPrice: "0.083025", rating.CDRCustomerPriceNoVAT: "0.0675", rating.CDRCustomerDuration: "180",
		rating.CDRDestinationPrefix: "44207946", rating.CDRDestinationInitialRate: "0.0225",
		rating.CDRDestinationNextRate: "0.0225", rating.CDRDestinationInitialInterval: "60",
		rating.CDRDestinationNextInterval: "60", rating.CDRDestinationFee: "0",
		rating.CDRSrcPrefixRouting: "442079460001", rating.CDRDstPrefixRouting: "442079460958",
		rating.CDRSrcPrefixIn: "+442079460001", rating.CDRDstPrefixIn: "00442079460958",
		rating.CDROrigCallID: "3848276298220188511@atlanta.example.com", rating.CDRIsLastCDR: "true",
		rating.CDRCustomerAccVAT: "23", rating.CDRVendorAccID: "77", rating.CDRDialpeerID: "91011",
		rating.CDRVendorPrice: "0.03", rating.CDRVendorDuration: "130", rating.CDRProfit: "0.0375",
		rating.CDRSource: "asterisk", rating.CDRLegaDisconnectCode: "200", rating.CDRAuthOrigIP: "192.0.2.44",
	} {
		if err := c.Parse(f, s); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// randomCDR sets about as many columns as dice say, to anything that a column can hold.
func randomCDR(r *rand.Rand) *rating.CDR {
	c := &rating.CDR{ID: rating.CDRID(r.Uint64()), Revision: uint32(randomInt(r)),
		Status: rating.CDRStatus(r.IntN(3)), Origin: rating.Origin(r.IntN(2))}
	density := r.IntN(101)
	for f := range rating.CDRField(rating.NumCDRFields) {
		switch {
		case r.IntN(100) >= density:
		case f.Kind().IsText():
			c.SetText(f, randomText(r))
		default:
			c.SetInt(f, randomInt(r))
		}
	}
	return c
}

// wantColumns compares every column of a row, read alone, with the decoded call.
func wantColumns(t *testing.T, id rating.CDRID, row []byte, want *rating.CDR) {
	t.Helper()
	for f := range rating.CDRField(rating.NumCDRFields) {
		num, txt, ok := cdrColumn(id, row, f)
		switch {
		case ok != want.Has(f):
			t.Fatalf("column %s: set %v, want %v", f.Name(), ok, want.Has(f))
		case !ok:
		case f.Kind().IsText() && string(txt) != want.Text(f):
			t.Fatalf("column %s = %q, want %q", f.Name(), txt, want.Text(f))
		case !f.Kind().IsText() && num != want.Int(f):
			t.Fatalf("column %s = %d, want %d", f.Name(), num, want.Int(f))
		}
	}
}

func TestCDRComesBackAsWritten(t *testing.T) {
	r := newRand(t)
	var got rating.CDR
	for range 2000 {
		want := randomCDR(r)
		row := appendCDR(nil, want)
		if err := decodeCDR(want.ID, row, &got); err != nil {
			t.Fatalf("decode %x: %v", row, err)
		}
		if got != *want {
			t.Fatalf("decode %x = %+v, want %+v", row, got, *want)
		}
		wantColumns(t, want.ID, row, want)
	}
}

func TestCDRLayoutIsPinned(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_123)
	c := &rating.CDR{ID: rating.MakeCDRID(start.UnixMilli(), 7), Status: rating.Free, Origin: rating.History, Revision: 300}
	c.SetTime(rating.CDRTimeStart, start.Add(456*time.Microsecond))
	c.SetTime(rating.CDRTimeConnect, start.Add(456*time.Microsecond+time.Millisecond))
	c.SetTime(rating.CDRTimeEnd, start)
	c.SetInt(rating.CDRDuration, 300)
	c.SetBool(rating.CDRSuccess, true)
	c.SetInt(rating.CDRCustomerPrice, -2)
	c.SetText(rating.CDRDestinationPrefix, "44")
	c.SetInt(rating.CDRDestinationNextRate, 64)
	c.SetText(rating.CDRDstPrefixIn, "+44")
	c.SetInt(rating.CDRTermGwID, 5)
	wantRow(t, appendCDR(nil, c), `
		01 11 ac02
		10 1f291000 00000000 00000000 00000010
		9007 d00f 8f07
		ac02 01 03 8001 05
		02 3434
		03 2b3434`)
}

func TestDecodedCDRKeepsNothingOfTheRow(t *testing.T) {
	want := typicalCDR(t)
	row := appendCDR(nil, want)
	var got rating.CDR
	if err := decodeCDR(want.ID, row, &got); err != nil {
		t.Fatal(err)
	}
	clear(row)
	if got != *want {
		t.Errorf("after its row was overwritten: %+v, want %+v", got, *want)
	}
}

func TestBrokenCDRRowsAreRefused(t *testing.T) {
	c := typicalCDR(t)
	var got rating.CDR
	testRefusals(t, appendCDR(nil, c), func(b []byte) error { return decodeCDR(c.ID, b, &got) })
	for _, tt := range []struct{ name, row, want string }{
		{"more columns than two words", "01 00 00 11 0000000000000000000000000000000001 01", "newer billd"},
		{"unknown status", "01 03 00 00", "newer billd"},
		{"unknown origin", "01 20 00 00", "newer billd"},
		{"empty text", "01 00 00 02 0008 00", "damaged"},
		{"number of eleven bytes", "01 00 00 01 08 ffffffffffffffffffff01", "damaged"},
		{"revision beyond 32 bits", "01 00 8080808010 00", "damaged"},
		{"text longer than the row", "01 00 00 02 0008 ffffffffffffffffff01 34", "damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := decodeCDR(1, unhex(t, tt.row), &got); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func FuzzDecodeCDR(f *testing.F) {
	f.Add(uint64(typicalCDR(f).ID), appendCDR(nil, typicalCDR(f)))
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		c := randomCDR(r)
		f.Add(uint64(c.ID), appendCDR(nil, c))
	}
	f.Fuzz(func(t *testing.T, id uint64, b []byte) {
		var c, again rating.CDR
		if decodeCDR(rating.CDRID(id), b, &c) != nil {
			for f := range rating.CDRField(rating.NumCDRFields) {
				cdrColumn(rating.CDRID(id), b, f) // must not panic
			}
			return
		}
		wantColumns(t, c.ID, b, &c)
		if err := decodeCDR(c.ID, appendCDR(nil, &c), &again); err != nil || again != c {
			t.Errorf("written anew: %+v, %v, want %+v", again, err, c)
		}
	})
}

func BenchmarkAppendCDR(b *testing.B) {
	c := typicalCDR(b)
	b.ReportAllocs()
	var row []byte
	for b.Loop() {
		row = appendCDR(row[:0], c)
	}
	b.ReportMetric(float64(len(row)), "B/row")
}

func BenchmarkDecodeCDR(b *testing.B) {
	c := typicalCDR(b)
	row := appendCDR(nil, c)
	b.ReportAllocs()
	for b.Loop() {
		if err := decodeCDR(c.ID, row, c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(row)), "B/row")
}

func BenchmarkCDRColumn(b *testing.B) {
	c := typicalCDR(b)
	row := appendCDR(nil, c)
	for _, f := range []rating.CDRField{rating.CDRTimeEnd, rating.CDRSuccess, rating.CDRCustomerAccID, rating.CDRVendorAccID,
		rating.CDRLegaDisconnectCode, rating.CDRDstPrefixIn, rating.CDRAuthOrigIP, rating.CDRMetadata} {
		b.Run(f.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cdrColumn(c.ID, row, f)
			}
		})
	}
	b.Run("four of one view", func(b *testing.B) {
		b.ReportAllocs()
		var v cdrView
		for b.Loop() {
			if err := v.open(c.ID, row); err != nil {
				b.Fatal(err)
			}
			v.Int(rating.CDRTimeStart)
			v.Int(rating.CDRCustomerAccID)
			v.Int(rating.CDRSuccess)
			v.Text(rating.CDRDstPrefixRouting)
		}
	})
}
