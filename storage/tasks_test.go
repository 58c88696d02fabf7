package storage

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage/kv"
)

func TestATaskKeepsItsFilesUntilItIsDeleted(t *testing.T) {
	db := openTest(t)
	input := bytes.Repeat([]byte("44,0.1\n"), TaskPartBytes/4) // more than one part
	task := &Task{Account: rating.MasterAccount, By: rating.MasterAccount, Category: "rates", Action: "import"}
	mustUpdate(t, db, func(tx *Tx) error { return tx.CreateTask(task, input) })
	mustUpdate(t, db, func(tx *Tx) error {
		got, err := tx.TaskByUUID(task.UUID)
		if err != nil || got.Status != TaskPending {
			t.Fatalf("task = %+v, %v, want a pending one", got, err)
		}
		if b, err := tx.ReadTaskFile(task.ID, TaskInput); err != nil || !bytes.Equal(b, input) {
			t.Errorf("input = %d bytes, %v, want the %d that were written", len(b), err, len(input))
		}
		if b, err := tx.ReadTaskFile(task.ID, TaskOutput); err != nil || b != nil {
			t.Errorf("output = %q, %v, want none", b, err)
		}
		if ids := tx.StartedTasks(); len(ids) != 0 {
			t.Errorf("started = %v, want none", ids)
		}
		got.Status = TaskExecuting
		if err := tx.Tasks.Put(got); err != nil {
			return err
		}
		if ids := tx.StartedTasks(); fmt.Sprint(ids) != fmt.Sprint([]uint64{task.ID}) {
			t.Errorf("started = %v, want the task", ids)
		}
		if err := tx.WriteTaskFile(task.ID, TaskOutput, []byte("a\n")); err != nil {
			return err
		}
		if err := tx.ClearTaskFile(task.ID, TaskOutput); err != nil {
			return err
		}
		if b, _ := tx.ReadTaskFile(task.ID, TaskOutput); b != nil {
			t.Errorf("output after clearing = %q, want none", b)
		}
		return tx.DeleteTask(task.ID)
	})
	mustUpdate(t, db, func(tx *Tx) error {
		if b, _ := tx.ReadTaskFile(task.ID, TaskInput); b != nil {
			t.Errorf("input after deletion = %d bytes, want none", len(b))
		}
		for range MaxTasks {
			if err := tx.CreateTask(&Task{Account: rating.MasterAccount, By: rating.MasterAccount}, nil); err != nil {
				return err
			}
		}
		if err := tx.CreateTask(&Task{Account: rating.MasterAccount}, nil); rating.KindOf(err) != rating.Limit {
			t.Errorf("one task more than there can be: %v, want Limit", err)
		}
		return nil
	})
}

func TestManyRatesAreOneAuditRow(t *testing.T) {
	db := openTest(t)
	step := rating.Step{Seconds: 60, Price: 1}
	mustUpdate(t, db, func(tx *Tx) error {
		before := tx.Audit.Count()
		var rates []*rating.Rate
		for i := range 3 {
			rates = append(rates, &rating.Rate{Deck: rating.DefaultDeck, Prefix: fmt.Sprint(4, i), Terms: rating.Terms{First: step, Next: step}})
		}
		if err := tx.PutRates(rating.DefaultDeck, rates, "3 rates"); err != nil {
			return err
		}
		if n := tx.Audit.Count() - before; n != 1 {
			t.Errorf("audit rows = %d, want 1", n)
		}
		return nil
	})
	if got := db.Catalog().Deck(rating.DefaultDeck); got == nil || got.Index.Len() != 3 {
		t.Errorf("the index does not have the three rates: %v", got)
	}
}

func TestCheckFindsWhatBelongsToNoTask(t *testing.T) {
	db := openTest(t)
	mustUpdate(t, db, func(tx *Tx) error {
		if err := tx.CreateTask(&Task{Account: rating.MasterAccount, By: rating.MasterAccount}, []byte("x")); err != nil {
			return err
		}
		if err := tx.Txn.Delete(bTaskUUID, kv.Key(bytes.Clone(firstKey(tx, bTaskUUID)))); err != nil {
			return err
		}
		if err := tx.Tasks.Put(&Task{Account: 77, By: rating.MasterAccount, UUID: rating.NewUUID(tx.now)}); err != nil {
			return err
		}
		return tx.taskParts.Put(&taskPart{Task: 99, Body: []byte("y")})
	})
	var found []string
	if err := db.Check(t.Context(), false, func(f string) { found = append(found, f) }); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(found, "\n")
	for _, want := range []string{"task 1: its uuid does not find it", "task 2: refers to account 77", "task part 2: refers to task 99"} {
		if !strings.Contains(all, want) {
			t.Errorf("check found\n%s\nwant %q in it", all, want)
		}
	}
	if len(found) != 3 {
		t.Errorf("check found %d faults, want 3:\n%s", len(found), all)
	}
}

func firstKey(tx *Tx, b kv.Bucket) []byte {
	k, _ := tx.Txn.Cursor(b).First()
	return k
}
