package storage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

func TestAttemptsAreFurtherAndFurtherApart(t *testing.T) {
	for _, tt := range []struct {
		attempt int
		want    time.Duration
	}{{1, time.Minute}, {2, 2 * time.Minute}, {3, 4 * time.Minute}, {9, 256 * time.Minute}, {10, MaxRetryDelay}, {MaxAttempts, MaxRetryDelay}, {1_000_000, MaxRetryDelay}} {
		if got := RetryDelay(tt.attempt); got != tt.want {
			t.Errorf("RetryDelay(%d) = %s, want %s", tt.attempt, got, tt.want)
		}
	}
}

// queued stores n messages and returns their numbers.
func (s *sampleStore) queued(n int) (ids []uint64) {
	s.update(func(tx *Tx) error {
		ids = nil
		for i := range n {
			m := &Message{Key: fmt.Sprint("key ", i), Event: "test", Hook: &Hook{URL: "http://127.0.0.1:1/", Method: "POST", Body: []byte(`{}`)}}
			if err := tx.Queue(m); err != nil {
				return err
			}
			ids = append(ids, m.ID)
		}
		return nil
	})
	return ids
}

func (s *sampleStore) begin(limit int) (list []*Message) {
	s.update(func(tx *Tx) (err error) {
		list, err = tx.BeginDeliveries(limit)
		return err
	})
	return list
}

func (s *sampleStore) message(id uint64) (m *Message) {
	s.view(func(tx *Tx) (err error) {
		m, err = tx.Messages.Get(id)
		return err
	})
	return m
}

func TestAMessageIsQueuedOncePerKey(t *testing.T) {
	s := openSample(t)
	first := s.queued(1)
	s.update(func(tx *Tx) error {
		return tx.Queue(&Message{Key: "key 0", Hook: &Hook{URL: "http://other/"}})
	})
	s.view(func(tx *Tx) error {
		if n := tx.Messages.Count(); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
		return nil
	})
	if got := s.message(first[0]).Hook.URL; got != "http://127.0.0.1:1/" {
		t.Errorf("message goes to %s, want the first one's address", got)
	}
	clean(t, s.DB)
}

func TestAnAttemptIsCountedBeforeItIsMade(t *testing.T) {
	s := openSample(t)
	id := s.queued(1)[0]
	for attempt := 1; attempt <= 3; attempt++ {
		if list := s.begin(10); len(list) != 1 || list[0].Attempts != attempt {
			t.Fatalf("attempt %d: began %d deliveries, want 1 that says so", attempt, len(list))
		}
		// nothing is heard of it: the process is gone
		if list := s.begin(10); len(list) != 0 {
			t.Errorf("attempt %d: the message is due again at once", attempt)
		}
		*s.clock = s.clock.Add(RetryDelay(attempt) - time.Millisecond)
		if list := s.begin(10); len(list) != 0 {
			t.Errorf("attempt %d: the message is due too early", attempt)
		}
		*s.clock = s.clock.Add(time.Millisecond)
	}
	s.update(func(tx *Tx) error { return tx.Delivered(id) })
	if m := s.message(id); m.State != MessageSent || m.Error != "" || m.DoneAt.IsZero() {
		t.Errorf("message = %+v, want it sent", m)
	}
	clean(t, s.DB)
}

func TestAMessageIsGivenUp(t *testing.T) {
	for _, tt := range []struct {
		name  string
		final bool
		want  int // attempts
	}{{"after its last attempt", false, MaxAttempts}, {"at once when another attempt is of no use", true, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			s := openSample(t)
			id, began := s.queued(1)[0], *s.clock
			for s.message(id).State == MessageWaiting {
				*s.clock = s.message(id).DueAt
				for _, m := range s.begin(10) {
					s.update(func(tx *Tx) error { return tx.NotDelivered(m.ID, strings.Repeat("й", 400), tt.final) })
				}
			}
			m := s.message(id)
			if m.State != MessageFailed || m.Attempts != tt.want {
				t.Errorf("message is %s after %d attempts, want failed after %d", m.State, m.Attempts, tt.want)
			}
			if len(m.Error) > maxErrorText+3 || strings.ToValidUTF8(m.Error, "?") != m.Error {
				t.Errorf("error of %d bytes, want it cut at a letter", len(m.Error))
			}
			if took := s.clock.Sub(began); tt.want == MaxAttempts && (took < 24*time.Hour || took > 48*time.Hour) {
				t.Errorf("given up after %s, want one to two days", took)
			}
			clean(t, s.DB)
		})
	}
}

func TestTheLongestDueGoesFirstAndNoMoreThanAsked(t *testing.T) {
	s := openSample(t)
	ids := s.queued(3)
	s.begin(1) // the first is put off
	var got []uint64
	for _, m := range s.begin(2) {
		got = append(got, m.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(ids[1:]) {
		t.Errorf("began %v, want %v", got, ids[1:])
	}
}

func TestAnOperatorLooksAfterMessages(t *testing.T) {
	s := openSample(t)
	ids := s.queued(2)
	s.begin(1)
	s.update(func(tx *Tx) error { return tx.NotDelivered(ids[0], "refused", true) })
	s.update(func(tx *Tx) error {
		if err := tx.RetryMessage(ids[0]); err != nil {
			return err
		}
		return tx.DropMessage(ids[1])
	})
	if m := s.message(ids[0]); m.State != MessageWaiting || m.Attempts != 0 || !m.DueAt.Equal(*s.clock) || !m.DoneAt.IsZero() {
		t.Errorf("retried message = %+v, want it due now with all attempts before it", m)
	}
	if got := s.message(ids[1]).State; got != MessageDropped {
		t.Errorf("dropped message is %s", got)
	}
	if list := s.begin(10); len(list) != 1 || list[0].ID != ids[0] {
		t.Errorf("began %d deliveries, want only the retried one", len(list))
	}
	s.update(func(tx *Tx) error { return tx.Delivered(ids[0]) })
	for name, try := range map[string]func(*Tx) error{
		"retry": func(tx *Tx) error { return tx.RetryMessage(ids[0]) }, "drop": func(tx *Tx) error { return tx.DropMessage(ids[0]) },
	} {
		if err := s.Update(t.Context(), try); rating.KindOf(err) != rating.Conflict {
			t.Errorf("%s of a sent message = %v, want a conflict", name, err)
		}
	}
	s.view(func(tx *Tx) error {
		if got, want := tx.MessageCounts(), [numMessageStates]int{MessageSent: 1, MessageDropped: 1}; got != want {
			t.Errorf("counts = %v, want %v", got, want)
		}
		return nil
	})
	clean(t, s.DB)
}

func TestADropWhileItIsSent(t *testing.T) {
	s := openSample(t)
	ids := s.queued(2)
	s.begin(2)
	s.update(func(tx *Tx) error {
		for _, id := range ids {
			if err := tx.DropMessage(id); err != nil {
				return err
			}
		}
		if err := tx.Delivered(ids[0]); err != nil {
			return err
		}
		return tx.NotDelivered(ids[1], "refused", false)
	})
	if a, b := s.message(ids[0]).State, s.message(ids[1]).State; a != MessageSent || b != MessageDropped {
		t.Errorf("states = %s, %s; want sent, dropped", a, b)
	}
	clean(t, s.DB)
}

func TestOldMessagesAreDeleted(t *testing.T) {
	s := openSample(t)
	ids := s.queued(4)
	s.begin(2)
	s.update(func(tx *Tx) error {
		if err := tx.Delivered(ids[0]); err != nil {
			return err
		}
		if err := tx.NotDelivered(ids[1], "x", true); err != nil {
			return err
		}
		return tx.DropMessage(ids[2])
	})
	for _, tt := range []struct {
		after time.Duration
		left  int
	}{{MessageKept - time.Second, 4}, {2 * time.Second, 2}, {FailureKept, 1}, {10 * FailureKept, 1}} {
		*s.clock = s.clock.Add(tt.after)
		s.update(func(tx *Tx) error {
			_, err := tx.PruneMessages(100)
			if n := tx.Messages.Count(); n != tt.left {
				t.Errorf("%d messages left, want %d", n, tt.left)
			}
			return err
		})
	}
	clean(t, s.DB)
}

func TestMailLeavesByTheContractorsServerOrTheGlobalOne(t *testing.T) {
	s := openSample(t)
	s.update(func(tx *Tx) error {
		if _, err := tx.ServerFor(2); rating.KindOf(err) != rating.NotFound {
			t.Errorf("without any server: %v, want not found", err)
		}
		for _, c := range []SMTPConnection{{Name: "own"}, {Name: "first", Global: true}, {Name: "second", Global: true}} {
			if err := tx.SMTPConnections.Put(&c); err != nil {
				return err
			}
		}
		c, err := tx.Contractors.Get(3)
		if err != nil {
			return err
		}
		own := int64(1)
		c.SMTP = &own
		return tx.Contractors.Put(c)
	})
	s.view(func(tx *Tx) error {
		for contractor, want := range map[uint64]string{2: "first", 3: "own", 0: "first", 99: "first"} {
			if got, err := tx.ServerFor(contractor); err != nil || got.Name != want {
				t.Errorf("ServerFor(%d) = %v, %v; want %s", contractor, got, err, want)
			}
		}
		return nil
	})
}
