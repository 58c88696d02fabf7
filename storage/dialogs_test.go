package storage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// dialogStore is a store whose clock a test moves.
type dialogStore struct {
	*authStore
	at time.Time
}

func newDialogStore(t *testing.T) *dialogStore {
	s := &dialogStore{newAuthStore(t), testClock}
	s.db.now = func() time.Time { return s.at }
	return s
}

// later has the job that ends halves run after a time.
func (s *dialogStore) later(d time.Duration) {
	s.t.Helper()
	s.at = s.at.Add(d)
	if _, err := s.db.EndDialogs(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// invite is the first half of a call to 4420, which costs 0.1 a minute; it began an hour before testClock.
func (s *dialogStore) invite(key string) Record {
	c := &rating.Call{AccountRef: "One", Gateway: "trunk1"}
	c.SetText(rating.CDRSource, "proxy")
	c.SetText(rating.CDRCallID, key)
	c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
	c.SetTime(rating.CDRTimeConnect, testClock.Add(-time.Hour))
	c.SetBool(rating.CDRSuccess, true)
	c.SetText(rating.CDRDstPrefixRouting, "4420")
	return Record{Call: c, Half: &rating.Half{Key: key, Kept: `{"call_id":"` + key + `"}`}}
}

// bye is the half that ends it.
func (s *dialogStore) bye(key string, after time.Duration) Record {
	c := &rating.Call{}
	c.SetText(rating.CDRSource, "proxy")
	return Record{Call: c, Half: &rating.Half{Key: key, End: testClock.Add(after - time.Hour).UnixMicro(), Kept: `{"bye":"` + key + `"}`}}
}

// whole is the call of both halves as a file tells it.
func (s *dialogStore) whole(key string, lasts time.Duration) Record {
	r := s.invite(key)
	r.Half = nil
	r.Call.SetTime(rating.CDRTimeEnd, testClock.Add(lasts-time.Hour))
	r.Call.SetInt(rating.CDRDuration, int64(lasts/time.Second))
	return r
}

// hear delivers records, each in a transaction of its own, and returns what became of them.
func (s *dialogStore) hear(records ...Record) string {
	s.t.Helper()
	var got []string
	for _, r := range records {
		v, err := s.db.ChargeNow(s.t.Context(), []Record{r})
		if err != nil {
			s.t.Fatal(err)
		}
		got = append(got, spellVerdict(v[0]))
	}
	return strings.Join(got, ", ")
}

func spellVerdict(v rating.Verdict) string {
	text := v.Outcome.String()
	if v.Outcome == rating.OutcomeSuspended {
		text += " " + v.Reason
	}
	if v.ID != 0 {
		text += " " + v.Price.String()
	}
	return text
}

// want compares what is in the store, and runs the check.
func (s *dialogStore) want(calls, suspended, dialogs int) {
	s.t.Helper()
	var got [3]int
	err := s.db.View(s.t.Context(), func(tx *Tx) error {
		got[1], got[2] = tx.Suspense.Count(), tx.Dialogs.Count()
		return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
			got[0]++
			return true, nil
		})
	})
	if want := [3]int{calls, suspended, dialogs}; err != nil || got != want {
		s.t.Errorf("calls, suspended, dialogs = %v, %v, want %v", got, err, want)
	}
	clean(s.t, s.db)
}

// held returns why records wait in suspense, in order of their numbers.
func (s *dialogStore) held() (list []string) {
	s.t.Helper()
	err := s.db.View(s.t.Context(), func(tx *Tx) error {
		return tx.Suspense.Each(0, func(v *Suspended) (bool, error) {
			list = append(list, v.Reason+": "+v.Detail)
			return true, nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func TestACallToldInHalvesIsChargedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		halves func(s *dialogStore) []Record
		want   string
		calls  int
	}{
		{"INVITE, BYE", func(s *dialogStore) []Record { return []Record{s.invite("x"), s.bye("x", 61*time.Second)} }, "waiting, rated 0.2", 1},
		{"BYE, INVITE", func(s *dialogStore) []Record { return []Record{s.bye("x", 61*time.Second), s.invite("x")} }, "waiting, rated 0.2", 1},
		{"all of it twice, and another BYE", func(s *dialogStore) []Record {
			i, b := s.invite("x"), s.bye("x", 61*time.Second)
			return []Record{i, i, b, b, i, s.bye("x", 99*time.Second)}
		}, "waiting, waiting, rated 0.2, duplicate 0.2, duplicate 0.2, duplicate 0.2", 1},
		{"the first BYE counts", func(s *dialogStore) []Record {
			return []Record{s.bye("x", 60*time.Second), s.bye("x", 90*time.Second), s.invite("x")}
		}, "waiting, waiting, rated 0.1", 1},
		{"two calls", func(s *dialogStore) []Record {
			return []Record{s.invite("x"), s.invite("y"), s.bye("y", 60*time.Second), s.bye("x", 60*time.Second)}
		}, "waiting, waiting, rated 0.1, rated 0.1", 2},
		{"a second of two machines has the same key", func(s *dialogStore) []Record {
			i, b := s.invite("x"), s.bye("x", time.Minute)
			i.Half.Scope, b.Half.Scope = "nas/1", "nas/2"
			return []Record{i, b, s.invite("y"), s.bye("y", time.Minute)}
		}, "waiting, waiting, waiting, rated 0.1", 1},
		{"keys that no index can hold", func(s *dialogStore) []Record {
			long, odd := strings.Repeat("x", 70_000), "a\x00\xff"
			i, b, i2, b2 := s.invite("x"), s.bye("x", time.Minute), s.invite("y"), s.bye("y", time.Minute)
			i.Half.Key, b.Half.Key, i2.Half.Key, b2.Half.Key = long, long, odd, odd
			return []Record{i, i2, b, b2}
		}, "waiting, waiting, rated 0.1, rated 0.1", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newDialogStore(t)
			if got := s.hear(tt.halves(s)...); got != tt.want {
				t.Errorf("became %s, want %s", got, tt.want)
			}
			told := strings.Count(tt.want, "rated")
			s.want(tt.calls, 0, told+strings.Count(tt.name, "machines")*2)
			s.later(dialogKept)
			s.want(tt.calls, strings.Count(tt.name, "machines"), strings.Count(tt.name, "machines")*2)
		})
	}
}

func TestHalvesAreTheCallThatAFileTells(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	if got, want := s.hear(s.invite("x"), s.bye("x", 61*time.Second), s.whole("x", 61*time.Second)), "waiting, rated 0.2, duplicate 0.2"; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
	s.hear(s.invite("y"))
	if got, want := s.hear(s.whole("y", 61*time.Second), s.bye("y", 61*time.Second), s.bye("y", 61*time.Second)), "rated 0.2, duplicate 0.2, duplicate 0.2"; got != want {
		t.Errorf("behind the file they became %s, want %s", got, want)
	}
	s.hear(s.invite("z"), s.whole("z", time.Minute)) // the BYE is in the file alone
	s.want(3, 0, 3)
	s.later(dialogLongest)
	s.want(3, 0, 0)
	if got, want := s.hear(s.invite("x"), s.bye("x", 61*time.Second)), "waiting, duplicate 0.2"; got != want {
		t.Errorf("a day later they became %s, want %s", got, want)
	}
	s.want(3, 0, 1)
}

func TestHalvesOfOneTransactionSeeEachOther(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	b := s.bye("x", 60*time.Second)
	v, err := s.db.ChargeNow(t.Context(), []Record{s.invite("x"), b, b})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := spellVerdict(v[0])+", "+spellVerdict(v[1])+", "+spellVerdict(v[2]), "waiting, rated 0.1, duplicate 0.1"; got != want || v[1].ID != v[2].ID {
		t.Errorf("became %s, want %s", got, want)
	}
	s.want(1, 0, 1)
}

func TestAHalfWhoseOtherOneDoesNotComeGoesToSuspense(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	s.hear(s.invite("x"), s.bye("y", time.Minute), s.invite("z"))
	s.later(byeAlone - time.Second)
	s.want(0, 0, 3)
	s.later(time.Second)
	s.want(0, 1, 3)
	s.later(dialogLongest)
	want := []string{"bad_record: a BYE whose INVITE did not come: when the call was answered is not known",
		"bad_record: answered, and its BYE did not come: when it ended is not known", "bad_record: answered, and its BYE did not come: when it ended is not known"}
	if got := s.held(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("held\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// x is given up, and its BYE comes all the same; z's comes while it waits
	mustUpdate(t, s.db, func(tx *Tx) error { return tx.DropSuspended(2) })
	s.want(0, 2, 3)
	if got, want := s.hear(s.invite("x"), s.bye("x", time.Minute), s.bye("z", time.Minute), s.bye("y", time.Minute)), "suspended bad_record, rated 0.1, rated 0.1, suspended bad_record"; got != want {
		t.Errorf("late halves became %s, want %s", got, want)
	}
	s.want(2, 1, 3)
	s.later(dialogLate)
	s.want(2, 1, 0)
}

func TestACorrectedHalfIsNotChargedAgainByItsBYE(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	s.hear(s.invite("x"))
	s.later(dialogLongest)
	mustUpdate(t, s.db, func(tx *Tx) error {
		_, err := tx.EditSuspended(1, func(_ *Suspended, call *rating.Call) error {
			*call = *s.whole("x", time.Minute).Call
			return nil
		})
		if err != nil {
			return err
		}
		v, err := tx.RetrySuspended(1)
		if got := spellVerdict(v); got != "rated 0.1" {
			t.Errorf("corrected it is %s", got)
		}
		return err
	})
	if got, want := s.hear(s.invite("x"), s.bye("x", time.Minute), s.bye("x", time.Hour)), "duplicate 0.1, duplicate 0.1, duplicate 0.1"; got != want {
		t.Errorf("late halves became %s, want %s", got, want)
	}
	s.want(1, 0, 1)
}

func TestATellingThatIsHeldIsNotHeldAgain(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	nobody := s.invite("x")
	nobody.Call.AccountRef = "nobody"
	b := s.bye("x", time.Minute)
	if got, want := s.hear(nobody, b, b, nobody), "waiting, suspended no_account, suspended no_account, suspended no_account"; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
	s.want(0, 1, 1)
	mustUpdate(t, s.db, func(tx *Tx) error { return tx.DropSuspended(1) })
	if got, want := s.hear(b, nobody), "suspended bad_record, suspended bad_record"; got != want {
		t.Errorf("dropped, and sent again: %s, want %s", got, want)
	}
	s.later(dialogKept)
	s.want(0, 0, 0) // it has not come back
	if got, want := s.hear(s.invite("y"), s.bye("y", -time.Minute)), "waiting, suspended bad_record"; got != want {
		t.Errorf("an end before the beginning is %s, want %s", got, want)
	}
	s.want(0, 1, 1)
}

// TestARecordWithoutItsTimesIsTheFirstOne is what a NAS sends that does not say when.
func TestARecordWithoutItsTimesIsTheFirstOne(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	at := func(lasts time.Duration) Record {
		r := s.whole("x", lasts)
		r.Half = &rating.Half{Key: "2 x", Whole: true}
		return r
	}
	unread := Record{Raw: "what", Detail: "no length", Source: "proxy", Half: &rating.Half{Key: "2 y", Whole: true}}
	again := unread
	again.Raw = "what, a second later"
	if got, want := s.hear(at(time.Minute), at(2*time.Minute), unread, again), "rated 0.1, duplicate 0.1, suspended bad_record, suspended bad_record"; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
	s.want(1, 1, 2)
	s.later(dialogKept)
	s.want(1, 1, 0)
}

func TestARestartEndsTheHalvesOfItsMachine(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	of := func(r Record, machine string) Record {
		r.Half.Scope, r.Half.Machine = "nas/1", machine
		return r
	}
	s.hear(of(s.invite("a"), "m"), of(s.bye("b", time.Minute), "m"), of(s.invite("c"), "other"), of(s.invite("d"), "m"), of(s.bye("d", time.Minute), "m"))
	mustUpdate(t, s.db, func(tx *Tx) error {
		for scope, want := range map[string]int{"nas/1": 2, "nas": 0, "nas/2": 0} {
			if n, err := tx.EndDialogsOf(scope, "m"); n != want || err != nil {
				t.Errorf("a restart in %s ends %d, %v, want %d", scope, n, err, want)
			}
		}
		return nil
	})
	s.later(0)
	s.want(1, 2, 4)
}

func TestFiguresThatFitNowhereAreHeldWithTheirHalves(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	huge := func(key string) Record {
		r := s.invite(key)
		r.Call.Rated, r.Call.AccountRef = true, "One"
		r.Call.SetInt(rating.CDRCustomerPrice, int64(rating.MaxMoney))
		return r
	}
	b := s.bye("y", time.Minute)
	s.hear(huge("x"), s.bye("x", time.Minute))
	if got, want := s.hear(huge("y"), b, b), "waiting, suspended range, suspended range"; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
	s.want(1, 1, 2)
}

func TestOneHalfTooManyHasTheNextOneThatIsDueEnd(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	s.hear(s.invite("x"), s.bye("y", time.Minute))
	s.db.dialogs.Store(maxDialogs)
	if got := s.hear(s.invite("z")); got != "waiting" {
		t.Errorf("one too many is %s, want it to wait", got)
	}
	s.want(0, 1, 2)
	if got := strings.Join(s.held(), "\n"); !strings.HasPrefix(got, "bad_record: a BYE whose INVITE did not come") || !strings.HasSuffix(got, "and 1000000 other calls wait") {
		t.Errorf("held is %s", got)
	}
	if s.later(dialogLongest); s.db.dialogs.Load() != 2 {
		t.Errorf("%d are counted, want 2", s.db.dialogs.Load())
	}
}

// TestHalvesOutliveARestart closes the store between them.
func TestHalvesOutliveARestart(t *testing.T) {
	t.Parallel()
	s := newDialogStore(t)
	s.hear(s.invite("x"), s.bye("y", time.Minute))
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	s.db = openAt(t, s.path)
	if n := s.db.dialogs.Load(); n != 2 {
		t.Errorf("%d are counted, want 2", n)
	}
	if got := s.hear(s.bye("x", time.Minute), s.invite("y")); got != "rated 0.1, rated 0.1" {
		t.Errorf("after a restart %s", got)
	}
	err := s.db.View(t.Context(), func(tx *Tx) error {
		return tx.EachLogged(0, func(_ uint64, id rating.CDRID) (bool, error) {
			var c rating.CDR
			err := tx.CDR(id, &c)
			if got := fmt.Sprint(c.Int(rating.CDRDuration), c.Time(rating.CDRTimeEnd).Equal(testClock.Add(time.Minute-time.Hour))); got != "60 true" {
				t.Errorf("the call is of %s, want 60 and its end", got)
			}
			return true, err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, s.db)
}
