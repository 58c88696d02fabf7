package storage

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// importedRate is a row as a deck file brings it.
func importedRate() *rating.Rate {
	return &rating.Rate{
		ID: 481516, Deck: 7, Gen: 3, Prefix: "44207946", Name: "UK London",
		Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 22_500_000}, Next: rating.Step{Seconds: 60, Price: 22_500_000}},
		From:  time.Date(2025, 11, 21, 0, 0, 0, 0, time.UTC), KazooID: "GB-44207946",
	}
}

// fullRate has every column set.
func fullRate() *rating.Rate {
	external, profit := int64(-9), int64(2)
	return &rating.Rate{
		ID: 5, Deck: 300, Gen: 0x01020304, Prefix: "+1", Direction: rating.Inbound, Disabled: true, Blocked: true, Reverse: true,
		Terms: rating.Terms{
			ConnectFee: -1, First: rating.Step{Seconds: 30, Price: 1}, Next: rating.Step{Seconds: 6, Price: -2},
			FreeSeconds: 10, Grace: 128, Surcharge: 2, MinCost: 3, MaxCost: 4,
		},
		From: time.UnixMicro(1).UTC(), Till: time.UnixMicro(-1).UTC(), MinLen: 5, MaxLen: 15, Weight: 50,
		Name: "a", Label: rating.Mobile, UUID: rating.UUID{0: 1, 15: 2}, KazooID: "k", External: &external,
		Extra: rating.RateExtra{
			DPMarginFixed: "0.1", DPMarginPercent: "5.0", UseDPIntervals: true, ASRLimit: "0.5", ACDLimit: "1", ShortCallsLimit: "2",
			RoutingTagIDs: []int64{1, 2}, RoutingTagMode: 1, RatePolicy: 2, ProfitControl: &profit, Description: "d", ISO: "GB",
			Doc: json.RawMessage(`{"carrier":"x"}`), Dialpeer: rating.DialpeerExtra{LCRMultiplier: "1.5", ForceHitRate: "0.25",
				Capacity: &profit, Gateway: &profit, GatewayGroup: &profit, RoutingGroup: &profit, Discriminator: &profit},
		},
	}
}

func TestEachExtraColumnIsStored(t *testing.T) {
	full := reflect.ValueOf(fullRate().Extra)
	for i := range full.NumField() {
		r := importedRate()
		reflect.ValueOf(&r.Extra).Elem().Field(i).Set(full.Field(i))
		if rateBits(r)&rateExtra == 0 {
			t.Errorf("a rate with only %s is stored without it", full.Type().Field(i).Name)
		}
	}
	if rateBits(importedRate())&rateExtra != 0 {
		t.Error("a rate without further columns is stored with them")
	}
}

// randomRate is fullRate with other numbers and texts, and each column left out now and then.
func randomRate(r *rand.Rand) *rating.Rate {
	x := fullRate()
	x.ID, x.Deck, x.Gen, x.Prefix = rating.RateID(r.Uint64()), rating.DeckID(r.Uint64()), r.Uint32(), randomText(r)
	x.Direction, x.Disabled, x.Blocked, x.Reverse = rating.Direction(r.IntN(2)), r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0
	t := &x.Terms
	t.First = rating.Step{Seconds: uint32(randomInt(r)), Price: rating.Price(randomInt(r))}
	t.Next = rating.Step{Seconds: uint32(randomInt(r)), Price: rating.Price(randomInt(r))}
	t.FreeSeconds, t.Grace, t.Surcharge = uint32(randomInt(r)), uint32(randomInt(r)), rating.Fraction(randomInt(r))
	t.ConnectFee, t.MinCost, t.MaxCost = rating.Money(randomInt(r)), rating.Money(randomInt(r)), rating.Money(randomInt(r))
	x.From, x.Till = randomTime(r), randomTime(r)
	x.MinLen, x.MaxLen, x.Weight = uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32())
	x.Name, x.Label, x.KazooID = randomText(r), rating.RateLabel(r.IntN(4)), randomText(r)
	*x.External = randomInt(r)
	for _, columns := range []reflect.Value{reflect.ValueOf(x).Elem(), reflect.ValueOf(t).Elem()} {
		for i := range columns.NumField() {
			if columns.Type().Field(i).Name != "Terms" && r.IntN(3) == 0 {
				columns.Field(i).SetZero()
			}
		}
	}
	return x
}

func TestRateComesBackAsWritten(t *testing.T) {
	r := newRand(t)
	rates := []*rating.Rate{{}, importedRate(), fullRate()}
	for range 2000 {
		rates = append(rates, randomRate(r))
	}
	got := &rating.Rate{Name: "a rate decoded before"}
	for _, want := range rates {
		row, err := appendRate(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeRate(want.ID, row, got); err != nil {
			t.Fatalf("decode %x: %v", row, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("decode %x = %+v, want %+v", row, got, want)
		}
		wantEntry(t, row, want)
	}
}

// wantEntry compares what the index loader reads of a row with the rate.
func wantEntry(t *testing.T, row []byte, r *rating.Rate) {
	t.Helper()
	var got indexedRate
	if err := rateEntry(r.ID, row, &got); err != nil {
		t.Fatalf("entry of %x: %v", row, err)
	}
	want := indexedRate{Prefix: []byte(r.Prefix), Deck: r.Deck, Gen: r.Gen, Disabled: r.Disabled, Entry: r.Entry()}
	if string(got.Prefix) != r.Prefix {
		t.Fatalf("prefix of %x = %q, want %q", row, got.Prefix, r.Prefix)
	}
	got.Prefix = want.Prefix
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("entry of %x = %+v, want %+v", row, got, want)
	}
}

func TestFullRateSetsEveryColumn(t *testing.T) {
	r := fullRate()
	for _, v := range []reflect.Value{reflect.ValueOf(*r), reflect.ValueOf(r.Terms), reflect.ValueOf(r.Extra), reflect.ValueOf(r.Extra.Dialpeer)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is not set: the codec's tests would miss it", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}

func TestRateLayoutIsPinned(t *testing.T) {
	r := fullRate()
	r.Extra = rating.RateExtra{ISO: "GB"}
	row, err := appendRate(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	wantRow(t, row, `
		01 ffff7f00 04030201
		0100000000000000 feffffffffffffff
		0100000000000000 ffffffffffffffff
		ac02 1e 06
		01 0a 8001 04 06 08
		05 0f 32
		01000000000000000000000000000002
		11
		02 2b31
		01 61
		01 6b
		7b2269736f223a224742227d`)
	row, err = appendRate(nil, importedRate())
	if err != nil {
		t.Fatal(err)
	}
	wantRow(t, row, `
		01 80003000 03000000
		a052570100000000
		00e0a17e0f440600
		07 3c 3c
		08 3434323037393436
		09 554b204c6f6e646f6e
		0b 47422d3434323037393436`)
}

func TestDecodedRateKeepsNothingOfTheRow(t *testing.T) {
	want, got := fullRate(), new(rating.Rate)
	row, err := appendRate(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := decodeRate(want.ID, row, got); err != nil {
		t.Fatal(err)
	}
	clear(row)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after its row was overwritten: %+v, want %+v", got, want)
	}
}

func TestBrokenRateRowsAreRefused(t *testing.T) {
	var got rating.Rate
	for _, r := range []*rating.Rate{importedRate(), fullRate()} {
		row, err := appendRate(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		testRefusals(t, row, func(b []byte) error { return decodeRate(r.ID, b, &got) })
	}
	for _, tt := range []struct{ name, row, want string }{
		{"unknown column", "01 00000001 00000000 0000000000000000 00 00 00 00", "newer billd"},
		{"seconds beyond 32 bits", "01 00000000 00000000 0000000000000000 00 8080808010 00 00", "damaged"},
		{"prefix longer than the row", "01 00000000 00000000 0000000000000000 00 00 00 ffffffffffffffffff01", "damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := unhex(t, tt.row)
			if err := decodeRate(1, row, &got); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("decode: error %v, want one with %q", err, tt.want)
			}
			if err := rateEntry(1, row, new(indexedRate)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("entry: error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestRateWithABrokenDocumentIsNotWritten(t *testing.T) {
	r := importedRate()
	r.Extra.Doc = json.RawMessage(`{`)
	if _, err := appendRate(nil, r); err == nil {
		t.Error("extra {: no error")
	}
}

func FuzzDecodeRate(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		row, err := appendRate(nil, randomRate(r))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var x, again rating.Rate
		if decodeRate(1, b, &x) != nil {
			rateEntry(1, b, new(indexedRate)) // must not panic
			return
		}
		wantEntry(t, b, &x)
		row, err := appendRate(nil, &x)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeRate(1, row, &again); err != nil {
			t.Fatalf("written anew: %v", err)
		}
		x.Extra, again.Extra = rating.RateExtra{}, rating.RateExtra{} // JSON may be spelled otherwise
		if !reflect.DeepEqual(again, x) {
			t.Errorf("written anew: %+v, want %+v", again, x)
		}
	})
}

func BenchmarkAppendRate(b *testing.B) {
	r := importedRate()
	b.ReportAllocs()
	var row []byte
	for b.Loop() {
		row, _ = appendRate(row[:0], r)
	}
	b.ReportMetric(float64(len(row)), "B/row")
}

func BenchmarkDecodeRate(b *testing.B) {
	row, _ := appendRate(nil, importedRate())
	var r rating.Rate
	b.ReportAllocs()
	for b.Loop() {
		if err := decodeRate(1, row, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRateEntry(b *testing.B) {
	row, _ := appendRate(nil, importedRate())
	var r indexedRate
	b.ReportAllocs()
	for b.Loop() {
		if err := rateEntry(1, row, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEveryExtraColumnButTheCountryIsKeptBesideIt(t *testing.T) {
	full := reflect.ValueOf(fullRate().Extra)
	for i := range full.NumField() {
		var one rating.RateExtra
		reflect.ValueOf(&one).Elem().Field(i).Set(full.Field(i))
		if name := full.Type().Field(i).Name; plainExtra(&one) != (name == "ISO") {
			t.Errorf("plainExtra with %s alone = %t: it would be lost when the row is written", name, plainExtra(&one))
		}
	}
}
