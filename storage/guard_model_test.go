package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// guardModelCall is a call as the naive recount remembers it.
type guardModelCall struct {
	account  rating.AccountID
	start    time.Time
	number   string
	answered bool
	seconds  int64
	cost     rating.Money
}

// TestGuardTalliesAreANaiveRecount charges calls of several accounts in random order and groups, changes
// rules, zones and prefixes between them, rerates, and holds each tally against a plain sum over all calls.
func TestGuardTalliesAreANaiveRecount(t *testing.T) {
	for round := range 4 {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := newAuthRig(t, "1000")
		zones := []string{"UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"}
		var accounts []*rating.Account
		r.do(func(tx *Tx) error {
			if err := tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "88", Terms: rating.Terms{First: rating.Step{Seconds: 1, Price: 600_000_000}, Next: rating.Step{Seconds: 1, Price: 600_000_000}}}); err != nil {
				return err
			}
			for i := range 3 {
				a := &rating.Account{Name: fmt.Sprint("model-", i), Contractor: 1, Timezone: zones[rnd.IntN(len(zones))]}
				if err := tx.CreateAccount(a); err != nil {
					return err
				}
				accounts = append(accounts, a)
			}
			return nil
		})
		numbers := []string{"442079", "8811", "8835", "88", "+88199"}
		for n := range 60 {
			r.clock = r.clock.Add(time.Duration(rnd.IntN(90)) * time.Minute)
			switch rnd.IntN(8) {
			case 0:
				r.do(func(tx *Tx) error { return tx.SetGuardDefaults(randomGuard(rnd)) })
			case 1:
				r.do(func(tx *Tx) error { return tx.SetGuard(accounts[rnd.IntN(3)].ID, randomGuard(rnd)) })
			case 2:
				r.do(func(tx *Tx) error {
					return tx.SetGuardPrefixes([][]string{nil, {"44"}, {"883", "8811"}}[rnd.IntN(3)])
				})
			case 3:
				r.do(func(tx *Tx) error {
					a := *accounts[rnd.IntN(3)]
					a.Timezone = zones[rnd.IntN(len(zones))]
					return tx.SaveAccount(&a)
				})
			case 4:
				r.do(func(tx *Tx) error {
					_, err := tx.DropGuardTallies()
					return err
				})
			default:
				var records []Record
				for i := range rnd.IntN(12) {
					c := &rating.Call{AccountRef: accounts[rnd.IntN(3)].Name}
					c.SetTime(rating.CDRTimeStart, r.clock.Add(-time.Duration(rnd.IntN(40*3600))*time.Second))
					c.SetInt(rating.CDRDuration, int64(rnd.IntN(3)*rnd.IntN(4000)))
					c.SetText(rating.CDRCallID, fmt.Sprintf("%d-%d", n, i))
					c.SetText(rating.CDRSource, "model")
					c.SetText(rating.CDRDstPrefixRouting, numbers[rnd.IntN(4)])
					records = append(records, Record{Call: c})
				}
				if _, err := r.ChargeNow(context.Background(), records); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			if n%15 == 14 {
				recountNaively(t, r, seed)
			}
		}
		clean(t, r.DB)
	}
}

func randomGuard(rnd *rand.Rand) (g rating.Guard) {
	for r := range g.Rules {
		if rnd.IntN(2) == 0 {
			g.Rules[r] = rating.GuardLimit{Action: rating.GuardAction(1 + rnd.IntN(3)), Limit: int64(rnd.IntN(5)) * 1_000_000, Passes: rnd.IntN(2) == 0}
		}
	}
	if rnd.IntN(2) == 0 {
		g.Night = rating.GuardNight{From: uint16(rnd.IntN(1440)), Till: 0}
		g.Night.Till = (g.Night.From + 1 + uint16(rnd.IntN(1000))) % 1440
	}
	return g
}

// recountNaively compares every tally that a rule may look at with a sum over all calls.
func recountNaively(t *testing.T, r *authRig, seed uint64) {
	t.Helper()
	r.do(func(tx *Tx) error {
		b := tx.db.guard.Load()
		var calls []guardModelCall
		c := tx.Txn.Cursor(bCDR)
		var cdr rating.CDR
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if err := decodeCDR(rating.CDRID(kv.ID(k)), v, &cdr); err != nil {
				return err
			}
			calls = append(calls, guardModelCall{cdr.Customer(), cdr.Time(rating.CDRTimeStart), cdr.Text(rating.CDRDstPrefixRouting), cdr.Bool(rating.CDRSuccess), cdr.Int(rating.CDRDuration), cdr.Money(rating.CDRCustomerPrice)})
		}
		return tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
			g := b.of(a.ID)
			loc := a.Location()
			for tally := range rating.NumGuardTallies {
				if g.counts&(1<<tally) == 0 {
					continue
				}
				for back := range uint32(30) {
					key := guardKey{tally, hourOf(r.clock) - back, a.ID}
					if tally == rating.GuardNights {
						key.Period = uint32(rating.DayOf(r.clock, loc)) - back%3
					}
					var want GuardSum
					for _, c := range calls {
						hour := uint32(c.start.Unix() / 3600)
						in := c.account == a.ID && hour >= max(b.floor, g.since)
						if tally == rating.GuardNights {
							in = in && inNight(c.start.In(loc), g.Night.String(), rating.Day(key.Period))
						} else {
							in = in && hour == key.Period
						}
						if !in || tally == rating.GuardRisk && !b.list.Holds(c.number) {
							continue
						}
						want.Spent += c.cost
						if c.answered {
							want.Calls++
							want.Seconds += c.seconds
						}
					}
					got, err := tx.guardSum(key)
					if err != nil {
						return false, err
					}
					if key.exactFrom(b.floor) && got != want {
						t.Fatalf("seed %d: tally %d of account %d, period %d: %s, want %s", seed, tally, a.ID, key.Period, got, want)
					}
				}
			}
			return true, nil
		})
	})
}

// inNight asks the clock on the wall, by text: does a local time lie in the night that begins on a day?
func inNight(t time.Time, night string, day rating.Day) bool {
	from, till, clock := night[:5], night[6:], t.Format("15:04")
	today, before := t.Format("2006-01-02") == day.String(), t.AddDate(0, 0, -1).Format("2006-01-02") == day.String()
	if from < till {
		return today && clock >= from && clock < till
	}
	return today && clock >= from || before && clock < till
}
