package storage

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// onPlan makes an account with one below it, both on a plan that cascades, the lower one with 2 devices.
func onPlan(t *testing.T, s *sampleStore) (upper, lower *rating.Account) {
	t.Helper()
	s.update(func(tx *Tx) error {
		p := &ServicePlan{UUID: rating.NewUUID(tx.Now()), Vendor: rating.MasterAccount, Name: "Gold", Doc: json.RawMessage(`{"plan":{"devices":{"_all":{"rate":1,"cascade":true}}}}`)}
		if err := tx.ServicePlans.Put(p); err != nil {
			return err
		}
		upper = &rating.Account{Name: "Upper"}
		if err := tx.CreateTenant(upper); err != nil {
			return err
		}
		lower = &rating.Account{Name: "Lower", Parent: upper.ID}
		if err := tx.CreateTenant(lower); err != nil {
			return err
		}
		for _, a := range []*rating.Account{upper, lower} {
			b, err := tx.OpenBooks(a)
			if err != nil {
				return err
			}
			if err := tx.HoldBooks(b); err != nil {
				return err
			}
			b.Services.Plans = []AssignedPlan{{Plan: p.UUID}}
			if err := b.LoadPlans(tx); err != nil {
				return err
			}
			if a == lower {
				b.Services.Counted = Quantities{"devices": {"ata": 2}}
			}
			if err := tx.SettleBooks(b, a); err != nil {
				return err
			}
			if err := tx.CarryUp(b.Above, a, b.Services.Counted); err != nil {
				return err
			}
		}
		return nil
	})
	return upper, lower
}

func TestCheckFindsPlantedFaultsOfPlans(t *testing.T) {
	services := func(tx *Tx, a *rating.Account, change func(*Services)) error {
		return alterRow(tx, bServices, uint64(a.ID), change)
	}
	for _, tt := range []struct {
		name  string
		plant func(tx *Tx, upper, lower *rating.Account) error
		want  string
	}{
		{"nothing", func(*Tx, *rating.Account, *rating.Account) error { return nil }, ""},
		{"on a plan and charged no month", func(tx *Tx, _, lower *rating.Account) error {
			s, err := tx.ServicesOf(lower.ID)
			if err != nil {
				return err
			}
			s.ChargeAt = time.Time{}
			return tx.Services.Put(s)
		}, "1 service plans, next month charged at 0001"},
		{"on no plan and charged", func(tx *Tx, upper, _ *rating.Account) error {
			return services(tx, upper, func(s *Services) { s.Plans = nil })
		}, "0 service plans, next month charged at 2"},
		{"a closed account is charged", func(tx *Tx, _, lower *rating.Account) error {
			return alterRow(tx, bAccount, uint64(lower.ID), func(a *rating.Account) { a.ClosedAt = tx.Now() })
		}, "a month is to be charged to an account that is closed"},
		{"a cascade counts too much", func(tx *Tx, upper, _ *rating.Account) error {
			return services(tx, upper, func(s *Services) { s.Cascade = Quantities{"devices": {"ata": 3}} })
		}, `counts {"devices":{"ata":3}} below it, the accounts there have {"devices":{"ata":2}}`},
		{"a cascade is not counted", func(tx *Tx, _, lower *rating.Account) error {
			return services(tx, lower, func(s *Services) { s.Counted = nil })
		}, `below it, the accounts there have null`},
		{"the next month is not found", func(tx *Tx, _, _ *rating.Account) error {
			return dropFirst(bServicesDue)(nil, tx)
		}, "missing from its index"},
		{"an audit's day is not found", func(tx *Tx, _, _ *rating.Account) error {
			return dropFirst(bServiceDay)(nil, tx)
		}, "service audit 1: missing from its index"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openSample(t)
			upper, lower := onPlan(t, s)
			s.update(func(tx *Tx) error { return tt.plant(tx, upper, lower) })
			found := strings.Join(s.faults(), "\n")
			if !strings.Contains(found, tt.want) || tt.want == "" && found != "" {
				t.Errorf("check found %q, want a fault with %q", found, tt.want)
			}
		})
	}
}
