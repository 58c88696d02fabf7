package kazoo

import (
	"fmt"

	"billd/rating"
	"billd/storage"
)

// taskKind is an action that bulk work can take.
type taskKind struct {
	category, action, description string
	mandatory, optional           []string // columns; none are expected when both are nil
}

// rateColumns are what a row of rates may say beside its prefix. Source: Kazoo kt_rates.
var rateColumns = []string{"account_id", "caller_id_numbers", "carrier", "description", "direction", "internal_rate_cost", "iso_country_code",
	"options", "rate_increment", "rate_minimum", "rate_name", "rate_nocharge_time", "rate_suffix", "rate_surcharge", "rate_version", "ratedeck_id", "routes", "weight"}

var taskKinds = []taskKind{
	{"rates", "import", "Bulk-import rates to a specified ratedeck", []string{"prefix", "rate_cost"}, rateColumns},
	{"rates", "export", "Export ratedeck", nil, nil},
	{"rates", "delete", "Bulk-remove rates", []string{"prefix"}, append([]string{"rate_cost"}, rateColumns...)},
}

func taskRoutes() (rows []route) {
	for _, at := range []string{"tasks", "accounts/:account/tasks"} {
		list := endpoint{who: anyone, run: taskHelp}
		if at != "tasks" {
			list = endpoint{who: user, run: listTasks, csv: true}
			rows = append(rows, route{at + "/help", get, endpoint{who: user, run: taskHelp}})
		}
		rows = append(rows,
			route{at, get, list},
			route{at, put, endpoint{who: master, run: createTask, upload: true}},
			route{at + "/:task", get, endpoint{who: user, run: readTask, csv: true}},
			route{at + "/:task", patch, endpoint{who: master, run: startTask}},
			route{at + "/:task", remove, endpoint{who: master, run: deleteTask}},
			route{at + "/:task/stop", patch, endpoint{who: master, run: stopTask}},
			route{at + "/:task/input", get, endpoint{who: user, run: taskInput, csv: true}},
			route{at + "/:task/output", get, endpoint{who: user, run: taskOutput, csv: true}})
	}
	return rows
}

// taskHelp tells which tasks there are.
func taskHelp(*exchange) (*answer, error) {
	data := document{}
	for _, k := range taskKinds {
		actions, _ := data[k.category].(document)
		if actions == nil {
			actions = document{}
			data[k.category] = actions
		}
		doc := document{"description": k.description}
		if k.mandatory != nil {
			doc["expected_content"], doc["mandatory"], doc["optional"] = "text/csv", k.mandatory, k.optional
		}
		actions[k.action] = doc
	}
	return &answer{data: document{"tasks": data}}, nil
}

// taskOwner returns whose tasks a path means: the account's in it, or the token's.
func (x *exchange) taskOwner() *rating.Account {
	if x.account != nil {
		return x.account
	}
	return x.me
}

// taskRow is a task in a listing.
func taskRow(tx *storage.Tx, t *storage.Task) (document, error) {
	doc := document{"id": t.UUID.Hex(), "category": t.Category, "action": t.Action, "status": t.Status, "total_count": t.Total, "submit_timestamp": seconds(t.SubmittedAt)}
	for key, id := range map[string]rating.AccountID{"account_id": t.Account, "auth_account_id": t.By} {
		a, err := tx.Accounts.Get(uint64(id))
		if err != nil {
			return nil, err
		}
		doc[key] = a.UUID.Hex()
	}
	if t.FileName != "" {
		doc["file_name"] = t.FileName
	}
	if !t.StartedAt.IsZero() {
		doc["start_timestamp"] = seconds(t.StartedAt)
	}
	if !t.EndedAt.IsZero() {
		doc["end_timestamp"], doc["success_count"], doc["failure_count"] = seconds(t.EndedAt), t.Succeeded, t.Failed
	}
	if t.Error != "" {
		doc["error"] = t.Error
	}
	return doc, nil
}

// taskView is a task whole: what was sent, and what the server knows under _read_only.
func taskView(tx *storage.Tx, t *storage.Task) (document, error) {
	row, err := taskRow(tx, t)
	doc := public(readDocument(t.Arguments))
	doc["_read_only"] = row
	return doc, err
}

func listTasks(x *exchange) (*answer, error) {
	var rows []listed
	err := x.view(func(tx *storage.Tx) error {
		return tx.TasksOf(x.account.ID, func(t *storage.Task) (bool, error) {
			row, err := taskRow(tx, t)
			rows = append(rows, listed{place: fmt.Sprintf("%016x", ^t.ID), row: row, whole: func() document { return row }, created: t.SubmittedAt, changed: t.EndedAt})
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	if !x.wantsCSV() {
		return x.list(rows)
	}
	t := newSheet("id", "category", "action", "status", "total_count", "submit_timestamp")
	for _, r := range rows {
		doc := r.row.(document)
		var cells []string
		for _, key := range []string{"id", "category", "action", "status", "total_count", "submit_timestamp"} {
			cells = append(cells, fmt.Sprint(doc[key]))
		}
		t.row(cells...)
	}
	return t.answer("tasks"), nil
}

// taskAsked returns the kind of task that the query names.
func (x *exchange) taskAsked() (*taskKind, error) {
	category, action := x.query.Get("category"), x.query.Get("action")
	p := problems{}
	for name, v := range map[string]string{"category": category, "action": action} {
		if v == "" {
			p.add(name, "required", "Field is required but missing")
		}
	}
	if err := p.failure(); err != nil {
		return nil, err
	}
	known := false
	for i, k := range taskKinds {
		if k.category == category && k.action == action {
			return &taskKinds[i], nil
		}
		known = known || k.category == category
	}
	if known {
		return nil, unknownID(clip(action))
	}
	return nil, unknownID(clip(category))
}

// createTask stores a task with its rows, as CSV whatever they came as.
func createTask(x *exchange) (*answer, error) {
	kind, err := x.taskAsked()
	if err != nil {
		return nil, err
	}
	t := &storage.Task{Account: x.taskOwner().ID, By: x.me.ID, Category: kind.category, Action: kind.action}
	var input []byte
	data := document{}
	if x.isUpload() {
		if input, t.FileName, err = x.file(); err != nil {
			return nil, err
		}
	} else {
		if data, err = x.object(); err != nil {
			return nil, err
		}
		if input, err = recordsCSV(data["records"]); err != nil {
			return nil, err
		}
	}
	f := newForm(document{"file_name": firstOf(x.setting("file_name"), t.FileName)})
	t.FileName = f.text("file_name", 0, 256)
	if err := f.err(); err != nil {
		return nil, err
	}
	if kind.mandatory == nil {
		input = nil
	} else if t.Total, err = kind.check(input); err != nil {
		return nil, err
	}
	args := public(data, "records", "file_name")
	if deck := x.query.Get("ratedeck_id"); deck != "" {
		args["ratedeck_id"] = deck
	}
	if t.Arguments, err = storeDocument(args); err != nil {
		return nil, err
	}
	var view document
	err = x.update(func(tx *storage.Tx) (err error) {
		made := *t
		if err := tx.CreateTask(&made, input); err != nil {
			return err
		}
		view, err = taskView(tx, &made)
		return err
	})
	if rating.KindOf(err) == rating.Limit {
		return nil, invalid("task", "maximum", err.Error(), "target", storage.MaxTasks)
	}
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

// file returns the file of an upload and its name.
func (x *exchange) file() ([]byte, string, error) {
	raw, err := x.upload()
	if err != nil || x.media != "multipart/form-data" {
		return raw, "", err
	}
	return filePart(raw, x.boundary)
}

// findTask finds the task of the path.
func (x *exchange) findTask(tx *storage.Tx) (*storage.Task, error) {
	id := x.params["task"]
	u, ok := hexID(id)
	if !ok {
		return nil, unknownID(clip(id))
	}
	t, err := tx.TaskByUUID(u)
	if rating.KindOf(err) == rating.NotFound || err == nil && t.Account != x.taskOwner().ID {
		return nil, unknownID(clip(id))
	}
	return t, err
}

func readTask(x *exchange) (*answer, error) {
	switch {
	case x.query.Get("csv_name") == "in.csv":
		return taskInput(x)
	case x.query.Get("csv_name") == "out.csv", x.wantsCSV():
		return taskOutput(x)
	}
	return showTask(x)
}

// showTask answers with the task as it is stored.
func showTask(x *exchange) (*answer, error) {
	var view document
	err := x.view(func(tx *storage.Tx) error {
		t, err := x.findTask(tx)
		if err == nil {
			view, err = taskView(tx, t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

func taskInput(x *exchange) (*answer, error) { return x.taskFile(storage.TaskInput, "in") }

func taskOutput(x *exchange) (*answer, error) { return x.taskFile(storage.TaskOutput, "out") }

// taskFile answers with one of a task's files.
func (x *exchange) taskFile(file storage.TaskFile, suffix string) (*answer, error) {
	var b []byte
	var name string
	err := x.view(func(tx *storage.Tx) error {
		t, err := x.findTask(tx)
		if err != nil {
			return err
		}
		name = t.Category + "_" + t.Action + "_" + t.UUID.Hex() + "_" + suffix
		b, err = tx.ReadTaskFile(t.ID, file)
		return err
	})
	if err == nil && b == nil {
		err = unknownID(clip(suffix + ".csv"))
	}
	if err != nil {
		return nil, err
	}
	return &answer{csv: b, fileName: name}, nil
}
