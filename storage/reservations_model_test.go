package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"

	"pgregory.net/rapid"
)

// modelCost is what a call of the tests' rate costs: 0.06 for each minute begun.
func modelCost(seconds uint32) rating.Money { return rating.Money((seconds+59)/60) * 60_000 }

// authModel is what an account's money should be doing, worked out the simplest way.
type authModel struct {
	balance rating.Money
	open    map[uint64]*modelCall
	now     time.Time
}

type modelCall struct {
	callID  string
	seconds uint32
	made    time.Time
}

func (c *modelCall) expires() time.Time {
	return c.made.Add(time.Duration(c.seconds+300) * time.Second)
}

// free returns what is not reserved, one call left out.
func (m *authModel) free(but uint64) rating.Money {
	free := m.balance
	for id, c := range m.open {
		if id != but && m.now.Before(c.expires()) {
			free -= modelCost(c.seconds)
		}
	}
	return free
}

// grant returns the most seconds up to want that free pays, one by one.
func grant(free rating.Money, want uint32) (seconds uint32) {
	if free <= 0 {
		return 0
	}
	for seconds < want && modelCost(seconds+1) <= free {
		seconds++
	}
	return seconds
}

// TestReservationsAreTheModels asks, extends, releases, charges, waits and sweeps at random and compares every
// answer, what is reserved and the balance with a model that works with a list.
func TestReservationsAreTheModels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newAuthRig(t, "0.5")
		m := &authModel{balance: 500_000, open: map[uint64]*modelCall{}, now: testClock}
		for step := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			m.step(rt, r, fmt.Sprint("call-", step))
			var reserved rating.Money
			for _, c := range m.open {
				if m.now.Before(c.expires()) {
					reserved += modelCost(c.seconds)
				}
			}
			if got := r.reserved(); got != reserved.String() {
				rt.Fatalf("%s reserved, want %s", got, reserved)
			}
			if got := balanceOf(t, r.DB, r.a); got != m.balance.String() {
				rt.Fatalf("balance %s, want %s", got, m.balance)
			}
		}
		if err := r.Check(context.Background(), false, func(f string) { rt.Errorf("check: %s", f) }); err != nil {
			rt.Fatal(err)
		}
		r.Close()
	})
}

// pick draws one of the reservations that the model knows, by number; 0 for none.
func (m *authModel) pick(rt *rapid.T) uint64 {
	ids := []uint64{0}
	for id := uint64(1); len(ids) <= len(m.open); id++ {
		if m.open[id] != nil {
			ids = append(ids, id)
		}
	}
	return rapid.SampledFrom(ids).Draw(rt, "which")
}

func (m *authModel) step(rt *rapid.T, r *authRig, callID string) {
	ctx := context.Background()
	want := rapid.Uint32Range(1, 400).Draw(rt, "seconds")
	switch rapid.SampledFrom([]string{"ask", "ask", "extend", "release", "charge", "charge", "wait", "sweep"}).Draw(rt, "what") {
	case "ask":
		g, made := r.authorise(ask(callID, want))
		seconds := grant(m.free(0), want)
		if g.Seconds != seconds {
			rt.Fatalf("asked %d s with %s free: granted %d (%s), want %d", want, m.free(0), g.Seconds, g.Refused, seconds)
		}
		if seconds > 0 {
			m.open[made.ID] = &modelCall{callID, seconds, m.now}
		}
	case "extend":
		id := m.pick(rt)
		var g rating.Grant
		err := r.Update(ctx, func(tx *Tx) (err error) { g, _, err = tx.ExtendReservation(id, want); return err })
		c := m.open[id]
		if c == nil || !m.now.Before(c.expires()) {
			if rating.KindOf(err) != rating.NotFound {
				rt.Fatalf("extending reservation %d = %v, want NotFound", id, err)
			}
			return
		}
		seconds := grant(m.free(id), c.seconds+want)
		if err != nil || (seconds > c.seconds) != (g.Refused == "") || g.Refused == "" && g.Seconds != seconds {
			rt.Fatalf("%d s more: %q, %d s, %v, want %d s", want, g.Refused, g.Seconds, err, seconds)
		}
		c.seconds = max(c.seconds, seconds)
	case "release":
		id := m.pick(rt)
		err := r.Update(ctx, func(tx *Tx) error { _, err := tx.ReleaseReservation(id); return err })
		if c := m.open[id]; (c != nil && m.now.Before(c.expires())) != (err == nil) {
			rt.Fatalf("release of %d = %v", id, err)
		} else if err == nil {
			delete(m.open, id)
		}
	case "charge":
		id := m.pick(rt)
		c := m.open[id]
		if c == nil {
			return
		}
		talked := rapid.Uint32Range(0, c.seconds).Draw(rt, "talked")
		if v := r.end(c.callID, int64(talked)); v.Price != modelCost(talked) {
			rt.Fatalf("charged %s, want %s", v.Price, modelCost(talked))
		}
		if open := m.now.Before(c.expires()); open && m.balance < modelCost(talked) {
			rt.Fatalf("a call that was granted %d s and talked %d brings %s below 0", c.seconds, talked, m.balance)
		}
		m.balance -= modelCost(talked)
		delete(m.open, id)
	case "wait":
		m.now = m.now.Add(time.Duration(rapid.IntRange(1, 400).Draw(rt, "wait")) * time.Second)
		r.clock = m.now
	case "sweep":
		r.do(func(tx *Tx) error { _, err := tx.ExpireReservations(); return err })
		for id, c := range m.open {
			if !m.now.Before(c.expires()) {
				delete(m.open, id) // its record settles nothing any more
			}
		}
	}
}

// raceRig is a store whose clock many goroutines share: who relies on a reservation being open holds it still.
type raceRig struct {
	*DB
	t        *testing.T
	accounts []*rating.Account
	auths    *AuthQueue
	calls    *Ingest
	mu       sync.RWMutex
	now      time.Time // guarded by clock
	clock    sync.Mutex
}

func newRaceRig(t *testing.T) *raceRig {
	r := &raceRig{t: t, now: testClock}
	e, err := openEngine(filepath.Join(t.TempDir(), "billd.db"), bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.DB, err = Open(context.Background(), e, Options{Now: r.time}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.DB.Close() })
	priceAt(t, r.DB, 60_000_000)
	for i := range 3 {
		a := &rating.Account{Name: fmt.Sprint("race-", i), Contractor: 1}
		err := r.Update(t.Context(), func(tx *Tx) error {
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
			return tx.SetBalance(a, 20_000_000, "")
		})
		if err != nil {
			t.Fatal(err)
		}
		r.accounts = append(r.accounts, a)
	}
	packaged(t, r.DB, r.accounts[0], 2000)
	r.auths, r.calls = NewAuthQueue(r.DB), NewIngest(r.DB)
	return r
}

func (r *raceRig) time() time.Time {
	r.clock.Lock()
	defer r.clock.Unlock()
	return r.now
}

// caller makes, extends, releases and ends calls of its own until it has done enough.
func (r *raceRig) caller(rnd *rand.Rand, name string, steps int) error {
	ctx := context.Background()
	var open []*Reservation
	for n := range steps {
		r.mu.RLock() // the clock stands still: what is open stays open
		err := func() error {
			if len(open) > 0 && rnd.IntN(3) > 0 {
				i := rnd.IntN(len(open))
				c := open[i]
				if !c.open(r.time()) {
					open = append(open[:i], open[i+1:]...)
					return nil
				}
				switch rnd.IntN(4) {
				case 0:
					return r.auths.Do(ctx, func(tx *Tx) error {
						_, now, err := tx.ExtendReservation(c.ID, uint32(1+rnd.IntN(200)))
						if err == nil {
							open[i] = now
						}
						return err
					})
				case 1:
					open = append(open[:i], open[i+1:]...)
					return r.auths.Do(ctx, func(tx *Tx) error { _, err := tx.ReleaseReservation(c.ID); return err })
				}
				open = append(open[:i], open[i+1:]...)
				call := c.call()
				call.SetText(rating.CDRSource, name)
				call.SetInt(rating.CDRDuration, rnd.Int64N(int64(c.Seconds)+1))
				v, err := r.calls.Submit(ctx, []Record{{Call: call}})
				if err == nil && v[0].Outcome > rating.OutcomeFree {
					return fmt.Errorf("call %s: %s, %s", c.CallID, v[0].Outcome, v[0].Detail)
				}
				return err
			}
			req := ask(fmt.Sprint(name, "-", n), uint32(1+rnd.IntN(600)))
			req.Call.AccountRef = r.accounts[rnd.IntN(len(r.accounts))].Name
			var made *Reservation
			err := r.auths.Do(ctx, func(tx *Tx) (err error) { _, made, err = tx.Authorise(req); return err })
			if err == nil && made != nil {
				open = append(open, made)
			}
			return err
		}()
		r.mu.RUnlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// watch looks at one state after another: nobody was ever promised what is not there.
func (r *raceRig) watch(stop <-chan struct{}) {
	for {
		err := r.View(context.Background(), func(tx *Tx) error {
			for _, a := range r.accounts {
				balance, err := tx.AccountBalance(a)
				if err != nil {
					return err
				}
				held, err := tx.ReservedAmount(a)
				if err != nil {
					return err
				}
				if balance < held {
					r.t.Errorf("%s: balance %s, reserved %s", a.Name, balance, held)
				}
			}
			return nil
		})
		if err != nil {
			r.t.Error(err)
		}
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Microsecond):
		}
	}
}

// TestConcurrentCallsNeverSpendTheSameMoney lets callers loose on three accounts with little money while the
// clock moves and expired reservations are swept; in every state that there is, balance less what is reserved
// stays at the floor or above, and at the end all adds up.
func TestConcurrentCallsNeverSpendTheSameMoney(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := newRaceRig(t)
	stop := make(chan struct{})
	var others, callers sync.WaitGroup
	others.Go(func() { r.watch(stop) })
	others.Go(func() {
		rnd := rand.New(rand.NewPCG(seed, 99))
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			r.mu.Lock()
			r.clock.Lock()
			r.now = r.now.Add(time.Duration(rnd.IntN(40)) * time.Second)
			r.clock.Unlock()
			r.mu.Unlock()
			if err := r.Update(context.Background(), func(tx *Tx) error { _, err := tx.ExpireReservations(); return err }); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 8 {
		callers.Go(func() {
			if err := r.caller(rand.New(rand.NewPCG(seed, uint64(i))), fmt.Sprint("caller-", i), 300); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	close(stop)
	others.Wait()
	r.auths.Stop()
	r.calls.Stop()
	clean(t, r.DB)
	outcomes := r.Outcomes()
	t.Logf("%d calls rated, %d free", outcomes[rating.OutcomeRated], outcomes[rating.OutcomeFree])
	if outcomes[rating.OutcomeRated] < 20 {
		t.Errorf("%d calls were charged, too few to prove anything", outcomes[rating.OutcomeRated])
	}
}
