package ops

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"billd/storage"
)

const callsWithFaults = `account,call_id,dst,time_start,duration
master,a,4420,2026-01-05T10:00:00Z,60
master,b,4420,yesterday,60
nobody,c,4420,2026-02-05T10:00:00Z,60
master,d,999,2026-01-06T10:00:00Z,60
`

// held is a station with a deck and three held calls: 1 unreadable, 2 of nobody, 3 without a rate.
func held(t *testing.T) *station {
	t.Helper()
	s := newStation(t)
	s.run(ExitOK, "import-rates", `{"input":{"name":"deck.csv"}}`, "44,0.06\n")
	s.run(ExitPartly, "import-cdrs", `{"input":{"name":"calls.csv"},"format":"auto"}`, callsWithFaults)
	return s
}

func (s *station) show(id string) (h HeldCDR) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.run(ExitOK, "suspense-show", `{"id":`+id+`,"json":true}`, "")), &h); err != nil {
		s.t.Fatal(err)
	}
	return h
}

func TestAnUnreadableRecordIsCorrectedAndCharged(t *testing.T) {
	s := held(t)
	if got, want := s.show("1"), `{"account":"master","call_id":"b","dst":"4420","duration":"60","header":"account,call_id,dst,time_start,duration","record":"master,b,4420,yesterday,60","time_start":"yesterday"}`; got.Reason != "bad_record" || got.Raw != want {
		t.Fatalf("held as %s, %s, want bad_record, %s", got.Reason, got.Raw, want)
	}
	s.run(ExitFailed, "suspense-edit", `{"id":1,"set":{"time_start":"tomorrow"}}`, "")
	s.run(ExitFailed, "suspense-edit", `{"id":1,"set":{"colour":"red"}}`, "")
	s.run(ExitFailed, "suspense-edit", `{"id":99,"set":{"dst":"44"}}`, "")
	if got := s.show("1"); got.Raw == "" {
		t.Errorf("a refused correction changed the row: %+v", got)
	}
	s.run(ExitOK, "suspense-edit", `{"id":1,"set":{"time_start":"2026-01-05T11:00:00Z","duration":"120"}}`, "")
	got := s.show("1")
	if got.Record["account"] != "master" || got.Record["duration"] != "120" || got.Record["dst_prefix_routing"] != "4420" || got.CallID != "b" || got.Raw != "" {
		t.Errorf("corrected to %+v, want master's call b to 4420 of 120 s", got)
	}
	if out := s.run(ExitOK, "suspense-retry", `{"id":1,"json":true}`, ""); !strings.Contains(out, `"rated": 1`) {
		t.Errorf("retry = %s, want 1 rated", out)
	}
	if got, want := s.balances(), "master -0.18"; len(got) == 0 || got[0] != want { // 1 and 2 minutes at 0.06
		t.Errorf("balances = %q, want %q first", got, want)
	}
	// the switch sends the broken record again: it waits anew, and is not charged twice once corrected
	s.run(ExitPartly, "import-cdrs", `{"input":{"name":"calls.csv"},"format":"auto"}`, callsWithFaults)
	s.run(ExitOK, "suspense-edit", `{"id":4,"set":{"time_start":"2026-01-05T11:00:00Z","duration":"120"}}`, "")
	if out := s.run(ExitOK, "suspense-retry", `{"id":4,"json":true}`, ""); !strings.Contains(out, `"duplicates": 1`) {
		t.Errorf("retry = %s, want 1 duplicate", out)
	}
}

func TestACorrectionIsInTheAuditTrail(t *testing.T) {
	s := held(t)
	s.run(ExitOK, "suspense-edit", `{"id":2,"set":{"account":"master"}}`, "")
	var last storage.AuditEntry
	err := s.env.DB.View(context.Background(), func(tx *storage.Tx) error {
		return tx.Audit.Each(0, func(e *storage.AuditEntry) (bool, error) {
			last = *e
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	var before, after struct {
		Reason string            `json:"reason"`
		Record map[string]string `json:"record"`
	}
	if json.Unmarshal(last.Old, &before) != nil || json.Unmarshal(last.New, &after) != nil {
		t.Fatalf("audit row %s → %s", last.Old, last.New)
	}
	if last.By != "test" || last.Table != "suspense" || last.Row != 2 || last.Op != "update" || last.At.IsZero() ||
		before.Record["account"] != "nobody" || after.Record["account"] != "master" || after.Record["call_id"] != "c" {
		t.Errorf("audit = %s %s %d %s, %v → %v, want test's update of suspense 2 from nobody to master", last.By, last.Table, last.Row, last.Op, before, after)
	}
}

func TestCorrectedHistoryStaysHistory(t *testing.T) {
	s := newStation(t)
	s.run(ExitPartly, "import-cdrs", `{"input":{"name":"old.csv"},"format":"auto","rated":true}`,
		"account,call_id,dst,time_start,duration,customer_price\nmaster,a,4420,soon,60,5\n")
	s.run(ExitOK, "suspense-edit", `{"id":1,"set":{"time_start":"2026-01-05T11:00:00Z"}}`, "")
	s.run(ExitOK, "suspense-retry", `{"id":1}`, "")
	if out := s.run(ExitOK, "export-cdrs", `{"format":"json"}`, ""); !strings.Contains(out, `"history"`) || !strings.Contains(out, `"customer_price":"5.0"`) {
		t.Errorf("export = %s, want history at 5.0", out)
	}
	if got, want := s.balances(), "master 0.0"; len(got) == 0 || got[0] != want {
		t.Errorf("balances = %q, want %q first", got, want)
	}
}

func TestFiltersPickHeldCalls(t *testing.T) {
	s := held(t)
	for _, tt := range []struct{ name, args, want string }{
		{"all", `{"json":true}`, "1 2 3"},
		{"a reason", `{"reason":"no_rate","json":true}`, "3"},
		{"an account by name", `{"account":"master","json":true}`, "3"},
		{"the same account by number", `{"account":"1","json":true}`, "3"},
		{"what no account is called", `{"account":"nobody","json":true}`, "2"},
		{"from a day on", `{"from":"2026-02-01","json":true}`, "1 2"}, // 1 goes by when it was held
		{"before a day", `{"to":"2026-01-06","json":true}`, ""},
		{"between", `{"from":"2026-01-06","to":"2026-01-07","json":true}`, "3"},
		{"of an account and a reason", `{"account":"master","reason":"no_account","json":true}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []HeldCDR
			if err := json.Unmarshal([]byte(s.run(ExitOK, "suspense-list", tt.args, "")), &list); err != nil {
				t.Fatal(err)
			}
			ids := make([]string, len(list))
			for i, h := range list {
				ids[i] = h.ID
			}
			if got := strings.Join(ids, " "); got != tt.want {
				t.Errorf("list %s = %q, want %q", tt.args, got, tt.want)
			}
		})
	}
	if out := s.run(ExitOK, "suspense-list", `{"counts":true}`, ""); out != "REASON      HELD\nbad_record  1\nno_account  1\nno_rate     1\nall         3\n" {
		t.Errorf("counts = %q", out)
	}
	if out := s.run(ExitPartly, "suspense-retry", `{"account":"nobody","json":true}`, ""); !strings.Contains(out, `"tried": 1`) {
		t.Errorf("retry = %s, want 1 tried", out)
	}
	s.run(ExitUsage, "suspense-drop", `{}`, "")
	if out := s.run(ExitOK, "suspense-drop", `{"to":"2026-01-07"}`, ""); out != "1 dropped\n" {
		t.Errorf("drop = %q, want 1 dropped", out)
	}
}
