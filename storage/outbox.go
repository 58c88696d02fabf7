package storage

import (
	"bytes"
	"encoding/json"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// MessageState says what became of a Message.
type MessageState uint8

// The states. A failed message was given up after its last attempt; a dropped one by an operator.
const (
	MessageWaiting MessageState = iota
	MessageSent
	MessageFailed
	MessageDropped
	numMessageStates
)

// String returns the state's word.
func (s MessageState) String() string {
	return [...]string{"waiting", "sent", "failed", "dropped"}[s&3]
}

// MessageStates lists every state.
func MessageStates() []MessageState {
	return []MessageState{MessageWaiting, MessageSent, MessageFailed, MessageDropped}
}

// Bounds of the outbox. Attempts that fail are made again after a minute, two, four and so on up to
// MaxRetryDelay: the last one comes about a day and a half after the first.
const (
	MaxAttempts   = 15
	MaxRetryDelay = 6 * time.Hour
	MessageKept   = 30 * 24 * time.Hour  // a sent or dropped one
	FailureKept   = 365 * 24 * time.Hour // a failed one, unless an operator looks after it
	maxErrorText  = 500                  // of an attempt's error, in bytes
)

// RetryDelay returns how long after an attempt, the first is 1, the next is made.
func RetryDelay(attempt int) time.Duration {
	delay := time.Minute
	for range attempt - 1 {
		if delay *= 2; delay >= MaxRetryDelay {
			return MaxRetryDelay
		}
	}
	return delay
}

// Message is an e-mail or a web request that waits in the outbox, or what became of it. It is written
// in the transaction of what it tells and delivered outside of any, at least once: its UUID goes with
// every attempt, so that a receiver can know a second delivery.
type Message struct {
	ID        uint64           `json:"id"`
	UUID      rating.UUID      `json:"uuid"`
	Key       string           `json:"key"`   // what it tells whom; the same is never queued twice
	Event     string           `json:"event"` // what happened, for operators
	Account   rating.AccountID `json:"account,omitempty"`
	State     MessageState     `json:"state"`
	CreatedAt time.Time        `json:"created_at"`
	DueAt     time.Time        `json:"due_at"`           // when it is tried next
	DoneAt    time.Time        `json:"done_at,omitzero"` // when it stopped waiting
	Attempts  int              `json:"attempts,omitempty"`
	Error     string           `json:"error,omitempty"` // of the last attempt
	Mail      *Mail            `json:"mail,omitempty"`
	Hook      *Hook            `json:"hook,omitempty"`
}

// Mail is an e-mail to one address.
type Mail struct {
	Contractor uint64 `json:"contractor,omitempty"` // whose mail server it leaves by; 0 and those without one: the global one
	To         string `json:"to"`
	Subject    string `json:"subject"`
	Text       string `json:"text"`
	Invoice    uint64 `json:"invoice,omitempty"` // its paper is attached
}

// Hook is a request to a web server.
type Hook struct {
	URL    string          `json:"url"`
	Method string          `json:"method"` // POST: the body is sent as JSON; GET: as the fields of a form
	Body   json.RawMessage `json:"body"`   // an object; of texts for a form
}

// Target says where the message goes, as operators read it.
func (m *Message) Target() string {
	switch {
	case m.Mail != nil:
		return m.Mail.To
	case m.Hook != nil:
		return m.Hook.URL
	}
	return ""
}

// since is the time that the message's place in the state index tells.
func (m *Message) since() time.Time {
	if m.State == MessageWaiting {
		return m.DueAt
	}
	return m.DoneAt
}

type outboxTables struct {
	messages kv.Table[Message]
}

// OutboxRows are the tables of what is to be sent.
type OutboxRows struct {
	Messages Rows[Message]
}

func newOutboxTables() outboxTables {
	t := outboxTables{messages: jsonTable("message", bOutbox, func(v *Message) *uint64 { return &v.ID })}
	t.messages.Audit = false // it is a record of work itself
	t.messages.Unique = []kv.Unique[Message]{{Bucket: bOutboxKey, Field: "key", Key: func(m *Message) []byte { return textKey(m.Key) }}}
	t.messages.Index = []kv.Index[Message]{{Bucket: bOutboxState, Keys: func(m *Message) [][]byte {
		return one(kv.Key(nil).U8(uint8(m.State)).Milli(m.since()))
	}}}
	return t
}

func bindOutbox(tx *Tx) OutboxRows { return OutboxRows{Messages: bind(tx, &schema.messages)} }

// messages finds messages of accounts and invoices that are not there.
func (c *checker) messages() {
	tx := c.tx
	tx.Messages.EachSound(func(m *Message) {
		if m.Account != 0 {
			c.refer("message", m.ID, "account", uint64(m.Account), tx.Accounts.Has)
		}
		if m.Mail != nil && m.Mail.Invoice != 0 {
			c.refer("message", m.ID, "invoice", m.Mail.Invoice, tx.Invoices.Has)
		}
		if (m.Mail == nil) == (m.Hook == nil) {
			c.fault("message %d: want either an e-mail or a web request", m.ID)
		}
	})
}

// Queue puts a message into the outbox, due now, unless one of its key is there.
func (tx *Tx) Queue(m *Message) error {
	if tx.Txn.Get(bOutboxKey, textKey(m.Key)) != nil {
		return nil
	}
	m.UUID, m.State, m.CreatedAt, m.DueAt = rating.NewUUID(tx.now), MessageWaiting, tx.now, tx.now
	return tx.Messages.Put(m)
}

// QueueMail puts an e-mail to a contact into the outbox; nothing for one that does not exist or has no
// address. key tells what the mail says: a contact hears of it once.
func (tx *Tx) QueueMail(contact int64, key string, m Message, mail Mail) error {
	c, err := tx.Contacts.Get(uint64(contact))
	if rating.KindOf(err) == rating.NotFound && err != nil || err == nil && c.Email == "" {
		return nil
	}
	if err != nil {
		return err
	}
	mail.Contractor, mail.To = c.Contractor, c.Email
	m.Key = key + "/contact/" + decimalText(c.ID)
	m.Mail = &mail
	return tx.Queue(&m)
}

// BeginDeliveries returns the messages that are due, the longest due first, at most limit, and counts
// an attempt for each: a crash while they are sent delays them and is an attempt as well.
func (tx *Tx) BeginDeliveries(limit int) (list []*Message, err error) {
	now := kv.Key(nil).U8(uint8(MessageWaiting)).Milli(tx.now.Add(time.Millisecond))
	c := tx.Txn.Cursor(bOutboxState)
	var ids []uint64
	for k, _ := c.First(); k != nil && len(ids) < limit && bytes.Compare(k[:len(now)], now) < 0; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	for _, id := range ids {
		m, err := tx.Messages.Get(id)
		if err != nil {
			return nil, err
		}
		m.Attempts++
		m.DueAt = tx.now.Add(RetryDelay(m.Attempts))
		if err := tx.Messages.Put(m); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// MessageDue reports whether a message is due.
func (tx *Tx) MessageDue() bool {
	k, _ := tx.Txn.Cursor(bOutboxState).First()
	return k != nil && bytes.Compare(k[:9], kv.Key(nil).U8(uint8(MessageWaiting)).Milli(tx.now.Add(time.Millisecond))) < 0
}

// Delivered ends a message that was sent. One that was dropped meanwhile was sent all the same.
func (tx *Tx) Delivered(id uint64) error {
	m, err := tx.Messages.Get(id)
	if err != nil {
		return err
	}
	m.State, m.DoneAt, m.Error = MessageSent, tx.now, ""
	return tx.Messages.Put(m)
}

// NotDelivered keeps the reason why an attempt failed. It was the last one if trying again is of no use
// or the attempts are used up.
func (tx *Tx) NotDelivered(id uint64, reason string, final bool) error {
	m, err := tx.Messages.Get(id)
	if err != nil || m.State != MessageWaiting {
		return err
	}
	m.Error = clipText(reason, maxErrorText)
	if final || m.Attempts >= MaxAttempts {
		m.State, m.DoneAt = MessageFailed, tx.now
	}
	return tx.Messages.Put(m)
}

// RetryMessage makes a message that waits, failed or was dropped due now, with all its attempts before
// it. Fails with Conflict if it was sent.
func (tx *Tx) RetryMessage(id uint64) error {
	return tx.settleMessage(id, func(m *Message) {
		m.State, m.DueAt, m.DoneAt, m.Attempts = MessageWaiting, tx.now, time.Time{}, 0
	}, "tried again")
}

// DropMessage gives a message up. Fails with Conflict if it was sent.
func (tx *Tx) DropMessage(id uint64) error {
	return tx.settleMessage(id, func(m *Message) { m.State, m.DoneAt = MessageDropped, tx.now }, "dropped")
}

func (tx *Tx) settleMessage(id uint64, change func(*Message), note string) error {
	m, err := tx.Messages.Get(id)
	if err != nil {
		return err
	}
	if m.State == MessageSent {
		return rating.Errorf(rating.Conflict, "message", "message %d is sent already", id)
	}
	change(m)
	if err := tx.Messages.Put(m); err != nil {
		return err
	}
	return tx.Note("message", id, note)
}

// PruneMessages deletes messages that were kept long enough, at most limit, and returns how many.
func (tx *Tx) PruneMessages(limit int) (pruned int, err error) {
	for state, kept := range map[MessageState]time.Duration{MessageSent: MessageKept, MessageFailed: FailureKept, MessageDropped: MessageKept} {
		till := kv.Key(nil).U8(uint8(state)).Milli(tx.now.Add(-kept))
		var ids []uint64
		c := tx.Txn.Cursor(bOutboxState)
		for k, _ := c.Seek([]byte{uint8(state)}); k != nil && pruned+len(ids) < limit && bytes.Compare(k[:len(till)], till) < 0; k, _ = c.Next() {
			ids = append(ids, kv.ID(k))
		}
		for _, id := range ids {
			if err := tx.Messages.Delete(id); err != nil {
				return pruned, err
			}
			pruned++
		}
	}
	return pruned, nil
}

// MessageCounts returns how many messages are in each state.
func (tx *Tx) MessageCounts() (n [numMessageStates]int) {
	c := tx.Txn.Cursor(bOutboxState)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if k[0] < uint8(numMessageStates) {
			n[k[0]]++
		}
	}
	return n
}

// clipText cuts a text to a number of bytes, at a letter's end.
func clipText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && s[cut]&0xC0 == 0x80 { // inside of a letter
		cut--
	}
	return s[:cut] + "…"
}

// ServerFor returns the mail server that a contractor's mail leaves by: its own, else the global one of
// the lowest number. Fails with NotFound if there is none.
func (tx *Tx) ServerFor(contractor uint64) (found *SMTPConnection, err error) {
	if c, err := tx.Contractors.Get(contractor); err == nil && c.SMTP != nil {
		if s, err := tx.SMTPConnections.Get(uint64(*c.SMTP)); err == nil {
			return s, nil
		}
	}
	err = tx.SMTPConnections.Each(0, func(s *SMTPConnection) (bool, error) {
		if s.Global {
			found = s
		}
		return found == nil, nil
	})
	if err == nil && found == nil {
		err = rating.Errorf(rating.NotFound, "smtp_connection", "contractor %d names no SMTP connection and none is global", contractor)
	}
	return found, err
}
