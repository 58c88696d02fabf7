package storage

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// newRand returns a generator whose seed is printed when the test fails.
func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// randomInt returns numbers of every length, the extremes among them.
func randomInt(r *rand.Rand) int64 {
	switch r.IntN(8) {
	case 0:
		return math.MinInt64
	case 1:
		return math.MaxInt64
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

// randomText returns text of 1 byte to some hundred, any bytes at all.
func randomText(r *rand.Rand) string {
	b := make([]byte, 1+r.IntN(40)*r.IntN(10))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// randomTime returns an instant of 1970 to 2200 to the microsecond.
func randomTime(r *rand.Rand) time.Time { return time.UnixMicro(r.Int64N(7258118400e6)).UTC() }

// unhex reads rows as tests spell them: hex digits with blanks and line ends between.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantRow compares a row with its pinned bytes.
func wantRow(t *testing.T, got []byte, want string) {
	t.Helper()
	if w := unhex(t, want); string(got) != string(w) {
		t.Errorf("row = %x, want %x; layout 1 is pinned: rows of it lie in stores", got, w)
	}
}

// testRefusals decodes what is no whole row of this layout.
func testRefusals(t *testing.T, row []byte, decode func([]byte) error) {
	t.Helper()
	if err := decode(row); err != nil {
		t.Fatalf("whole row: %v", err)
	}
	for n := range row {
		if err := decode(row[:n]); rating.KindOf(err) != rating.Internal || err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("first %d of %d bytes: error %v, want row is damaged", n, len(row), err)
		}
	}
	if err := decode(append(row[:len(row):len(row)], 0)); err == nil {
		t.Error("a byte too many: no error")
	}
	newer := append([]byte{2}, row[1:]...)
	if err := decode(newer); err == nil || err.Error() != "row written by a newer billd: layout 2, want at most 1" {
		t.Errorf("layout 2: error %v, want row written by a newer billd", err)
	}
	if err := decode(append([]byte{0}, row[1:]...)); err == nil {
		t.Error("layout 0: no error")
	}
}

func TestSkipVarintsStopsBehindTheLastOne(t *testing.T) {
	r := newRand(t)
	for range 500 {
		var b []byte
		ends := []int{0}
		for range r.IntN(40) {
			b = binary.AppendUvarint(b, uint64(randomInt(r)))
			ends = append(ends, len(b))
		}
		for n, want := range ends {
			if got := skipVarints(b, 0, n); got != want {
				t.Fatalf("skipVarints(%x, 0, %d) = %d, want %d", b, n, got, want)
			}
		}
		if got := skipVarints(b, 0, len(ends)); got != -1 {
			t.Fatalf("skipVarints(%x, 0, %d) = %d, want -1", b, len(ends), got)
		}
	}
}

func TestZigzagComesBack(t *testing.T) {
	for _, n := range []int64{0, -1, 1, 63, -64, 64, math.MaxInt64, math.MinInt64} {
		if got := unzigzag(zigzag(n)); got != n {
			t.Errorf("unzigzag(zigzag(%d)) = %d", n, got)
		}
	}
	if got, want := zigzag(-3), uint64(5); got != want {
		t.Errorf("zigzag(-3) = %d, want %d", got, want)
	}
}
