package storage

import (
	"slices"
	"testing"

	"billd/rating"
)

func TestSwitchesAreFoundByNumberUntilTheyAreDeleted(t *testing.T) {
	r := openTest(t)
	s := &Switch{Name: "fs1", Networks: []string{"192.0.2.7/24"}}
	mustUpdate(t, r, func(tx *Tx) error { return tx.SaveSwitch(s) })
	got, err := r.SwitchByID(t.Context(), s.ID)
	if err != nil || got.Name != "fs1" || !slices.Equal(got.Networks, []string{"192.0.2.0/24"}) || got.CreatedAt.IsZero() {
		t.Fatalf("got %+v, %v, want fs1 from 192.0.2.0/24", got, err)
	}
	mustUpdate(t, r, func(tx *Tx) error {
		s, err := tx.SwitchNamed("fs1")
		if err != nil {
			return err
		}
		s.Networks = nil
		return tx.SaveSwitch(s)
	})
	if got, err = r.SwitchByID(t.Context(), s.ID); err != nil || len(got.Networks) != 0 {
		t.Errorf("changed it is %+v, %v, want no networks", got, err)
	}
	mustUpdate(t, r, func(tx *Tx) error { return tx.Switches.Delete(s.ID) })
	if got, err := r.SwitchByID(t.Context(), s.ID); rating.KindOf(err) != rating.NotFound {
		t.Errorf("deleted it is %+v, %v, want NotFound", got, err)
	}
}

func TestASwitchThatCannotBeIsRefused(t *testing.T) {
	r := openTest(t)
	mustUpdate(t, r, func(tx *Tx) error { return tx.SaveSwitch(&Switch{Name: "fs1"}) })
	for want, s := range map[string]*Switch{
		`name "f s": want 1 to 64 characters, no blank and no slash`:                                 {Name: "f s"},
		`network "fs.example": want an address such as 192.0.2.1, or a network such as 192.0.2.0/24`: {Name: "fs2", Networks: []string{"fs.example"}},
		`101 networks: want at most 100`:                                                             {Name: "fs2", Networks: slices.Repeat([]string{"192.0.2.1"}, 101)},
		`switch: this name is already taken`:                                                         {Name: "fs1"},
	} {
		if err := r.Update(t.Context(), func(tx *Tx) error { return tx.SaveSwitch(s) }); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
