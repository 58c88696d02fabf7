package rating

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDataIsPricedByTheStartedUnit(t *testing.T) {
	eur := Currency{'E', 'U', 'R'}
	metered := DataPlan{Name: "m", Currency: eur, Unit: GB, Price: 400_000, Period: PeriodMonthly}
	binary := DataPlan{Name: "b", Currency: eur, Unit: GiB, Price: 400_000, Period: PeriodMonthly}
	capped := DataPlan{Name: "c", Currency: eur, Unit: GB, Allowance: 100e9, Overage: 500_000, Period: PeriodMonthly}
	tiers := DataPlan{Name: "t", Currency: eur, Unit: GB, Price: 100_000, Allowance: 2_500_000_000, Overage: 50_000, Period: PeriodMonthly}
	for _, tt := range []struct {
		name         string
		plan         DataPlan
		counted      uint64
		inside, over uint64
		net          string
	}{
		{"nothing costs nothing", metered, 0, 0, 0, "0.0"},
		{"one byte starts a GB", metered, 1, 1, 0, "0.4"},
		{"a GB to the byte is one", metered, 1e9, 1, 0, "0.4"},
		{"a byte more is two", metered, 1e9 + 1, 2, 0, "0.8"},
		{"a GiB is more than a GB", binary, 1e9 + 1, 1, 0, "0.4"},
		{"a GiB to the byte is one", binary, 1 << 30, 1, 0, "0.4"},
		{"a byte more than a GiB is two", binary, 1<<30 + 1, 2, 0, "0.8"},
		{"the allowance is included", capped, 100e9, 100, 0, "0.0"},
		{"a byte beyond it starts a GB", capped, 100e9 + 1, 100, 1, "0.5"},
		{"130.2 GB are 31 started ones beyond 100", capped, 130_200_000_000, 100, 31, "15.5"},
		{"units begin anew at an allowance of half a GB", tiers, 3_000_000_000, 3, 1, "0.35"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.plan.Valid(); err != nil {
				t.Fatal(err)
			}
			got, err := tt.plan.Charge(tt.counted)
			if err != nil || got.Inside != tt.inside || got.Over != tt.over || got.Net.String() != tt.net {
				t.Errorf("Charge(%d) = %+v, %v, want %d and %d units, %s", tt.counted, got, err, tt.inside, tt.over, tt.net)
			}
			again, steps, err := tt.plan.Explain(tt.counted)
			sum := Money(0)
			for _, s := range steps[:len(steps)-1] {
				m, bad := ParseMoney(s.Amount)
				if bad != nil {
					t.Fatal(bad)
				}
				sum += m
			}
			if err != nil || again != got || sum != got.Net || steps[len(steps)-1].Amount != tt.net {
				t.Errorf("Explain(%d) = %+v, steps %v that sum to %s, want %s", tt.counted, again, steps, sum, tt.net)
			}
		})
	}
	dear := metered
	dear.Price = maxUnitPrice
	if _, err := dear.Charge(1 << 62); KindOf(err) != Range {
		t.Errorf("4 EB at a milliard each = %v, want Range", err)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	good := DataPlan{Name: "p", Currency: Currency{'E', 'U', 'R'}, Unit: GB, Price: 1, Period: PeriodMonthly}
	for name, spoil := range map[string]func(*DataPlan){
		"name": func(p *DataPlan) { p.Name = "" }, "currency": func(p *DataPlan) { p.Currency = Currency{} }, "unit": func(p *DataPlan) { p.Unit = 0 },
		"price": func(p *DataPlan) { p.Price = -1 }, "overage": func(p *DataPlan) { p.Overage = 1 }, "allowance": func(p *DataPlan) { p.Allowance = math.MaxUint64 },
		"count": func(p *DataPlan) { p.Count = 9 }, "period": func(p *DataPlan) { p.Period = PeriodBiWeekly },
	} {
		p := good
		spoil(&p)
		if err, ok := p.Valid().(*Error); !ok || err.Field != name {
			t.Errorf("a plan with a wrong %s: %v, want it refused", name, p.Valid())
		}
	}
}

func TestBytesAreReadAndWritten(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Bytes
		in   ByteUnit
		out  string
	}{
		{"100GB", 100e9, GB, "100 GB"},
		{"1.5 TiB", 3 << 39, TiB, "1.5 TiB"},
		{"0.000001MB", 1, MB, "0.000001 MB"},
		{"1", 1, GB, "0.000000001 GB"},
		{"1000000000", 1e9, GiB, "0.931322574… GiB"},
		{"7gib", 7 << 30, GiB, "7 GiB"},
	} {
		got, err := ParseBytes(tt.text)
		if err != nil || got != tt.want || got.In(tt.in) != tt.out {
			t.Errorf("ParseBytes(%q) = %d, %v, written %q, want %d and %q", tt.text, got, err, got.In(tt.in), tt.want, tt.out)
		}
	}
	for _, text := range []string{"", "GB", "-1GB", "1 XB", "1.2.3GB", "0.5", "1e3GB", "9999999999TB", "0.0000000001GB"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want it refused", text, got)
		}
	}
	if got, want := GiB.Definition(), "1 GiB = 1 073 741 824 bytes"; got != want {
		t.Errorf("definition %q, want %q", got, want)
	}
	if got, want := Bytes(1).Short(GB)+Bytes(1_999_999_999).Short(GB), "0.001 GB2.000 GB"; got != want {
		t.Errorf("short %q, want %q: rounded up", got, want)
	}
}

func TestPeriodsBeginOnADay(t *testing.T) {
	day := func(s string) Day {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return DayOf(at, time.UTC)
	}
	for _, tt := range []struct {
		p               PeriodID
		on, first, next string
	}{
		{PeriodMonthly, "2028-02-29", "2028-02-01", "2028-03-01"},
		{PeriodMonthly, "2026-12-01", "2026-12-01", "2027-01-01"},
		{PeriodWeekly, "2026-11-22", "2026-11-16", "2026-11-23"},
		{PeriodDaily, "2026-11-22", "2026-11-22", "2026-11-23"},
	} {
		if first, next := tt.p.Days(day(tt.on)); first.String() != tt.first || next.String() != tt.next {
			t.Errorf("%s of %s = %s to %s, want %s to %s", tt.p.Word(), tt.on, first, next, tt.first, tt.next)
		}
	}
}

func TestCountersWrapOnlyWhereAllowed(t *testing.T) {
	points := SessionPoints{{At: 1, Status: DataInterim, Total: Octets{Down: 4_000_000_000}}}
	next := SessionPoint{At: 2, Status: DataInterim, Total: Octets{Down: 100}}
	if _, step := points.Add(next, false, false); step.Used.Down != 100 || !step.Reset {
		t.Errorf("without leave: %+v, want a reset and 100", step)
	}
	if _, step := points.Add(next, false, true); step.Used.Down != 294_967_396 || step.Reset {
		t.Errorf("with leave: %+v, want 2³² - 4,000,000,000 + 100 and no reset", step)
	}
}

// TestTheOrderOfPointsIsNothing adds the points of a session in the order they were made and in another
// one, with retransmissions among them: what was used is the same, and no step ever takes anything back.
func TestTheOrderOfPointsIsNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wraps := rapid.Bool().Draw(rt, "wraps")
		n := rapid.IntRange(1, KeptPoints).Draw(rt, "points")
		var made SessionPoints
		for i := range n {
			made = append(made, SessionPoint{At: int64(i) * 1000, Seconds: uint32(i), Status: DataInterim,
				Total: Octets{rapid.Uint64Range(0, 1000).Draw(rt, "up"), rapid.Uint64Range(0, 1000).Draw(rt, "down")}})
		}
		want := sumOf(rt, made, wraps)
		other := append(slices.Clone(made), rapid.SliceOfN(rapid.SampledFrom(made), 0, 4).Draw(rt, "again")...)
		if got := sumOf(rt, rapid.Permutation(other).Draw(rt, "order"), wraps); got != want {
			rt.Fatalf("used %+v in another order, want %+v", got, want)
		}
	})
}

func sumOf(rt *rapid.T, points []SessionPoint, wraps bool) (sum Octets) {
	var kept SessionPoints
	for _, p := range points {
		var step CounterStep
		kept, step = kept.Add(p, false, wraps)
		if step.Stale || step.Used.Up > 1<<33 || step.Used.Down > 1<<33 {
			rt.Fatalf("%+v added %+v", p, step)
		}
		sum.Up, sum.Down = sum.Up+step.Used.Up, sum.Down+step.Used.Down
	}
	return sum
}
