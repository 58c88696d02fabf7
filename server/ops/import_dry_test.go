package ops

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

func TestADryRunSaysWhatTheImportThenDoes(t *testing.T) {
	env := sourceStore(t)
	read := func(dry bool) (got TriedCDRs, said string) {
		t.Helper()
		var out, errw bytes.Buffer
		o := ioTo(&out, sourceRows)
		o.Err = &errw
		code, err := importCDRs(t.Context(), env, ImportCDRsArgs{Source: "pbx", DryRun: dry, JSON: true, Input: Input{Name: "Master.csv"}}, o)
		if err != nil || code != ExitPartly {
			t.Fatalf("exit %d, %v", code, err)
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		return got, errw.String()
	}
	balance := func() (calls int, b rating.Money) {
		t.Helper()
		err := env.DB.View(t.Context(), func(tx *storage.Tx) error {
			a, err := tx.AccountByRef("acme")
			if err == nil {
				b, err = tx.AccountBalance(a)
			}
			if err != nil {
				return err
			}
			return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
				calls++
				return true, nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return calls, b
	}
	tried, said := read(true)
	if calls, b := balance(); calls != 0 || b != 0 {
		t.Fatalf("after the dry run there are %d calls and a balance of %s, want none", calls, b)
	}
	if !tried.DryRun || tried.Read != 4 || tried.Rated != 1 || tried.Duplicates != 1 || tried.Suspended != 2 || tried.Skipped != 1 || len(tried.Accounts) != 1 {
		t.Fatalf("tried %+v, want 1 rated, 1 duplicate, 2 suspended, 1 passed over", tried)
	}
	for _, want := range []string{"Master.csv: line 3: no_rate: ", "Master.csv: line 5: bad_record: ", "Master.csv: 1 would be passed over: "} {
		if !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q in it", said, want)
		}
	}
	charged, _ := read(false)
	if charged.Read != tried.Read || charged.Rated != tried.Rated || charged.Duplicates != tried.Duplicates || charged.Suspended != tried.Suspended || charged.Skipped != tried.Skipped {
		t.Errorf("imported %+v, tried %+v", charged, tried)
	}
	if calls, b := balance(); calls != 1 || b != -tried.Accounts[0].Price || b == 0 {
		t.Errorf("%d calls and a balance of %s, want 1 and what was said, -%s", calls, b, tried.Accounts[0].Price)
	}
	if again, _ := read(true); again.Duplicates != 2 || again.Rated != 0 || len(again.Accounts) != 0 {
		t.Errorf("tried again %+v, want duplicates that nobody pays", again)
	}
}
