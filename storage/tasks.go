package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// TaskStatus says how far a Task is, in Kazoo's words.
type TaskStatus string

// The statuses.
const (
	TaskPending   TaskStatus = "pending"
	TaskExecuting TaskStatus = "executing"
	TaskSuccess   TaskStatus = "success"
	TaskFailure   TaskStatus = "failure"
	TaskPartial   TaskStatus = "partial"
	TaskStopped   TaskStatus = "stopped"
)

// Bounds of tasks.
const (
	MaxTasks       = 1_000     // of one account
	TaskPartBytes  = 512 << 10 // of one part of a file
	MaxTaskResults = 256 << 20 // bytes of an output
)

// Task is bulk work over a file that Kazoo's clients hand in, start and fetch the results of.
type Task struct {
	ID          uint64           `json:"id"`
	UUID        rating.UUID      `json:"uuid"`
	Account     rating.AccountID `json:"account"` // whose task it is
	By          rating.AccountID `json:"by"`      // who handed it in
	Category    string           `json:"category"`
	Action      string           `json:"action"`
	Status      TaskStatus       `json:"status"`
	FileName    string           `json:"file_name,omitempty"`
	Arguments   json.RawMessage  `json:"arguments,omitempty"` // what was sent beside the rows
	Total       int64            `json:"total"`               // rows of the input
	Succeeded   int64            `json:"succeeded,omitempty"`
	Failed      int64            `json:"failed,omitempty"`
	Error       string           `json:"error,omitempty"`
	SubmittedAt time.Time        `json:"submitted_at"`
	StartedAt   time.Time        `json:"started_at,omitzero"`
	EndedAt     time.Time        `json:"ended_at,omitzero"`
}

// TaskFile names one of a task's two files.
type TaskFile uint8

// The files.
const (
	TaskInput TaskFile = iota
	TaskOutput
)

// taskPart is a part of a task's file.
type taskPart struct {
	ID   uint64
	Task uint64
	File TaskFile
	Body []byte
}

type taskTables struct {
	tasks     kv.Table[Task]
	taskParts kv.Table[taskPart]
}

// TaskRows are the tables of bulk work.
type TaskRows struct {
	Tasks     Rows[Task]
	taskParts Rows[taskPart]
}

func newTaskTables() taskTables {
	t := taskTables{
		tasks: jsonTable("task", bTask, func(v *Task) *uint64 { return &v.ID }),
		taskParts: kv.Table[taskPart]{Name: "task part", Bucket: bTaskPart, ID: func(v *taskPart) *uint64 { return &v.ID },
			Encode: func(dst []byte, v *taskPart) ([]byte, error) {
				return append(append(binary.BigEndian.AppendUint64(dst, v.Task), byte(v.File)), v.Body...), nil
			},
			Decode: func(_ uint64, b []byte, v *taskPart) error {
				if len(b) < 9 {
					return rating.Errorf(rating.Internal, "row", "a part of a task's file does not decode")
				}
				v.Task, v.File, v.Body = binary.BigEndian.Uint64(b), TaskFile(b[8]), bytes.Clone(b[9:])
				return nil
			}},
	}
	t.tasks.Audit = false // it is a record of work itself
	t.tasks.Unique = []kv.Unique[Task]{{Bucket: bTaskUUID, Field: "uuid", Key: func(v *Task) []byte { return uuidKey(v.UUID) }}}
	t.tasks.Index = []kv.Index[Task]{
		{Bucket: bTaskAccount, Keys: func(v *Task) [][]byte { return one(kv.Key(nil).U64(uint64(v.Account))) }},
		{Bucket: bTaskOpen, Keys: func(v *Task) [][]byte {
			if v.Status != TaskExecuting {
				return nil
			}
			return one(kv.Key(nil))
		}},
	}
	t.taskParts.Index = []kv.Index[taskPart]{{Bucket: bTaskPartOf, Keys: func(v *taskPart) [][]byte { return one(kv.Key(nil).U64(v.Task).U8(uint8(v.File))) }}}
	return t
}

func bindTasks(tx *Tx) TaskRows {
	return TaskRows{Tasks: bind(tx, &schema.tasks), taskParts: bind(tx, &schema.taskParts)}
}

// tasks finds tasks of accounts, and parts of files, that are not there.
func (c *checker) tasks() {
	tx := c.tx
	tx.Tasks.EachSound(func(t *Task) {
		c.refer("task", t.ID, "account", uint64(t.Account), tx.Accounts.Has)
		c.refer("task", t.ID, "account", uint64(t.By), tx.Accounts.Has)
	})
	tx.taskParts.EachSound(func(p *taskPart) { c.refer("task part", p.ID, "task", p.Task, tx.Tasks.Has) })
}

// TaskByUUID finds a task.
func (tx *Tx) TaskByUUID(u rating.UUID) (*Task, error) { return tx.Tasks.Find(bTaskUUID, uuidKey(u)) }

// TasksOf calls fn with an account's tasks, oldest first, until it returns false.
func (tx *Tx) TasksOf(id rating.AccountID, fn func(*Task) (bool, error)) error {
	return tx.Tasks.EachUnder(bTaskAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// StartedTasks returns the numbers of the tasks that were started and have not ended, lowest first.
func (tx *Tx) StartedTasks() (ids []uint64) {
	c := tx.Txn.Cursor(bTaskOpen)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	return ids
}

// CreateTask stores a pending task with its input. Fails with Limit when the account has too many.
func (tx *Tx) CreateTask(t *Task, input []byte) error {
	n := 0
	err := tx.TasksOf(t.Account, func(*Task) (bool, error) {
		n++
		return n < MaxTasks, nil
	})
	if err != nil {
		return err
	}
	if n >= MaxTasks {
		return rating.Errorf(rating.Limit, "task", "account %d has %d tasks, delete some", t.Account, n)
	}
	t.UUID, t.Status, t.SubmittedAt = rating.NewUUID(tx.now), TaskPending, tx.now
	if err := tx.Tasks.Put(t); err != nil {
		return err
	}
	return tx.WriteTaskFile(t.ID, TaskInput, input)
}

// WriteTaskFile appends to one of a task's files.
func (tx *Tx) WriteTaskFile(task uint64, file TaskFile, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), TaskPartBytes)
		if err := tx.taskParts.Put(&taskPart{Task: task, File: file, Body: b[:n]}); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// ReadTaskFile returns one of a task's files, nil when there is none.
func (tx *Tx) ReadTaskFile(task uint64, file TaskFile) (b []byte, err error) {
	err = tx.taskParts.EachUnder(bTaskPartOf, kv.Key(nil).U64(task).U8(uint8(file)), func(p *taskPart) (bool, error) {
		b = append(b, p.Body...)
		return true, nil
	})
	return b, err
}

// ClearTaskFile removes what one of a task's files has so far.
func (tx *Tx) ClearTaskFile(task uint64, file TaskFile) error {
	return tx.dropParts(kv.Key(nil).U64(task).U8(uint8(file)))
}

// DeleteTask removes a task and its files.
func (tx *Tx) DeleteTask(id uint64) error {
	if err := tx.dropParts(kv.Key(nil).U64(id)); err != nil {
		return err
	}
	return tx.Tasks.Delete(id)
}

// dropParts removes the parts of files under a key of their index.
func (tx *Tx) dropParts(under []byte) error {
	var doomed []uint64
	c := tx.Txn.Cursor(bTaskPartOf)
	for k, _ := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		doomed = append(doomed, kv.ID(k))
	}
	for _, id := range doomed {
		if err := tx.taskParts.Delete(id); err != nil {
			return err
		}
	}
	return nil
}

// PutRates writes many rates of a deck and one audit row for all of them. Fails like Rates.Put.
func (tx *Tx) PutRates(deck rating.DeckID, rates []*rating.Rate, note string) error {
	was := tx.quiet
	tx.quiet = true
	defer func() { tx.quiet = was }()
	for _, r := range rates {
		if err := tx.Rates.Put(r); err != nil {
			return err
		}
	}
	return tx.Note("deck", uint64(deck), note)
}
