package kazoo

import "billd/storage"

// startTask starts a task. Small ones are done before it answers; others go on in the background.
func startTask(x *exchange) (*answer, error) {
	return x.moveTask(storage.TaskPending, func(t *storage.Task, tx *storage.Tx) error {
		t.Status, t.StartedAt = storage.TaskExecuting, tx.Now()
		return tx.Tasks.Put(t)
	}, func(t *storage.Task) error {
		if x.api.isSmall(t) {
			return runTask(x.context(), x.api.db, t.ID)
		}
		return nil
	})
}

func stopTask(x *exchange) (*answer, error) {
	return x.moveTask(storage.TaskExecuting, func(t *storage.Task, tx *storage.Tx) error {
		t.Status, t.EndedAt = storage.TaskStopped, tx.Now()
		return tx.Tasks.Put(t)
	}, nil)
}

// deleteTask removes a task that does not run.
func deleteTask(x *exchange) (*answer, error) {
	var view document
	err := x.update(func(tx *storage.Tx) error {
		t, err := x.findTask(tx)
		if err != nil {
			return err
		}
		if t.Status == storage.TaskExecuting {
			return unknownID(x.params["task"])
		}
		if view, err = taskView(tx, t); err != nil {
			return err
		}
		return tx.DeleteTask(t.ID)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view}, nil
}

// moveTask changes a task that is in a state, and shows it after then, which may be nil.
func (x *exchange) moveTask(from storage.TaskStatus, move func(*storage.Task, *storage.Tx) error, then func(*storage.Task) error) (*answer, error) {
	var t *storage.Task
	err := x.update(func(tx *storage.Tx) (err error) {
		if t, err = x.findTask(tx); err != nil {
			return err
		}
		if t.Status != from {
			return unknownID(x.params["task"]) // as Kazoo says that it runs already, or does not
		}
		return move(t, tx)
	})
	if err == nil && then != nil {
		err = then(t)
	}
	if err != nil {
		return nil, err
	}
	return showTask(x)
}
