package storage

import (
	"encoding/json"
	"maps"
	"slices"

	"billd/rating"
)

// planBooks finds accounts on service plans that no month is charged to, charged ones that are on none,
// and cascades that are not what the accounts below count.
func (c *checker) planBooks() error {
	below := map[rating.AccountID]Quantities{}
	stored := map[rating.AccountID]*Services{}
	c.tx.Services.EachSound(func(s *Services) {
		a := c.accounts[rating.AccountID(s.ID)]
		if a == nil || a.Closed() {
			if !s.ChargeAt.IsZero() {
				c.fault("services %d: a month is to be charged to an account that is closed", s.ID)
			}
			return
		}
		stored[a.ID] = s
		charged := !s.ChargeAt.IsZero()
		if sold := a.ID != rating.MasterAccount; charged && (!sold || len(s.Plans)+len(s.Objects) == 0) || !charged && sold && len(s.Plans) > 0 {
			c.fault("services %d: %d service plans, next month charged at %s", s.ID, len(s.Plans), s.ChargeAt)
		}
		for levels := 0; a.Parent != 0 && levels < rating.MaxAccountDepth && len(s.Counted) > 0; levels++ {
			below[a.Parent] = below[a.Parent].Add(s.Counted, 1)
			if a = c.accounts[a.Parent]; a == nil {
				return
			}
		}
	})
	for id := range stored {
		if below[id] == nil {
			below[id] = nil // counted as nothing
		}
	}
	for _, id := range slices.Sorted(maps.Keys(below)) {
		var has Quantities
		if s := stored[id]; s != nil {
			has = s.Cascade
		}
		if !has.Same(below[id]) {
			c.fault("services %d: counts %s below it, the accounts there have %s", id, countText(has), countText(below[id]))
		}
	}
	return nil
}

func countText(q Quantities) string {
	b, err := json.Marshal(q)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
