package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// TestKilledWithOpenReservations kills the real binary the moment it has promised money, three times. After
// each start what was promised is held, and no more than the balance; records settle it, a block that the
// fraud guard laid on an account is still there, and check is clean.
func TestKilledWithOpenReservations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it several times")
	}
	k := &killed{t: t, bin: buildBilld(t), dir: t.TempDir()}
	k.setUpPrepaid()
	granted := map[string]string{} // amount by call id
	for round, id := range []string{"a", "b", "c"} {
		cmd, url := k.start()
		k.token = k.billd("token", "native")
		got := k.ask(url, "Northfield", id)
		if !got.Allowed || got.Reservation.Amount != "1.0" {
			t.Fatalf("call %s: %+v, want 1.0 reserved", id, got)
		}
		granted[id] = got.Reservation.Amount
		if again := k.ask(url, "Northfield", id); again.Reservation.ID != got.Reservation.ID {
			t.Errorf("call %s again: reservation %s, want %s", id, again.Reservation.ID, got.Reservation.ID)
		}
		if round == 1 { // the second call of Southgate's within the hour is one too many
			k.record(url, "Southgate", "s1")
			k.record(url, "Southgate", "s2")
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	cmd, url := k.start()
	k.token = k.billd("token", "native")
	if got := k.billd("check"); got != "the store is sound" {
		t.Errorf("billd check = %q", got)
	}
	var open []struct {
		CallID string `json:"call_id"`
		Amount string `json:"amount"`
	}
	if err := json.Unmarshal([]byte(k.billd("reservations", "list", "--account", "Northfield", "--json")), &open); err != nil || len(open) != len(granted) {
		t.Fatalf("reservations after the kills = %+v, %v, want %v", open, err, granted)
	}
	for _, r := range open {
		if granted[r.CallID] != r.Amount {
			t.Errorf("call %s holds %s, want %s", r.CallID, r.Amount, granted[r.CallID])
		}
	}
	if got := k.ask(url, "Northfield", "d"); got.Allowed || got.Reason != rating.RefusedBalance {
		t.Errorf("a fourth call: %+v, want it refused: three hold the whole balance", got)
	}
	if got := k.ask(url, "Southgate", "s3"); got.Allowed || got.Reason != rating.RefusedGuard {
		t.Errorf("a call of the blocked account: %+v, want %s", got, rating.RefusedGuard)
	}
	for id := range granted {
		k.record(url, "Northfield", id)
	}
	if got := k.billd("reservations", "list", "--account", "Northfield", "--json"); got != "[]" {
		t.Errorf("reservations after the records = %s, want none", got)
	}
	k.billd("guard", "unblock", "Southgate")
	if got := k.ask(url, "Southgate", "s3"); !got.Allowed {
		t.Errorf("after the block was lifted: %+v, want it allowed", got)
	}
	if got := k.billd("check"); got != "the store is sound" {
		t.Errorf("billd check = %q", got)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("billd serve after SIGTERM: %v, want exit 0", err)
	}
}

// setUpPrepaid makes a store with a rate of 1.00 a minute, an account with 3.00, and one that is watched.
func (k *killed) setUpPrepaid() {
	k.t.Helper()
	db := hold(k.t, k.dir)
	err := db.Update(k.t.Context(), func(tx *storage.Tx) error {
		for name, amount := range map[string]rating.Money{"Northfield": 3_000_000, "Southgate": 100_000_000} {
			a := &rating.Account{Name: name, Contractor: 1}
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
			if err := tx.SetBalance(a, amount, ""); err != nil {
				return err
			}
			if name == "Southgate" {
				var g rating.Guard
				g.Rules[rating.GuardSpendDay] = rating.GuardLimit{Action: rating.GuardBlock, Limit: 1_000_000}
				g.Rules[rating.GuardSpendHour] = rating.GuardLimit{Action: rating.GuardNotify}
				if err := tx.SetGuard(a.ID, g); err != nil {
					return err
				}
			}
		}
		minute := rating.Step{Seconds: 60, Price: 1_000_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: minute, Next: minute}})
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// killAuthorization is what POST /api/v1/authorize says.
type killAuthorization struct {
	Allowed     bool   `json:"allowed"`
	Reason      string `json:"reason"`
	Reservation struct {
		ID     string `json:"id"`
		Amount string `json:"amount"`
	} `json:"reservation"`
}

// ask asks for a minute.
func (k *killed) ask(url, account, callID string) (a killAuthorization) {
	k.t.Helper()
	body := k.send(url+"/api/v1/authorize", `{"account":"`+account+`","number":"442079460000","call_id":"`+callID+`","seconds":60}`)
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		k.t.Fatalf("authorize: %v: %s", err, body)
	}
	return a
}

// record delivers a call of a minute that has just ended.
func (k *killed) record(url, account, callID string) {
	k.t.Helper()
	start := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	body := k.send(url+"/api/v1/cdrs", `{"account":"`+account+`","dst":"442079460000","call_id":"`+callID+`","time_start":"`+start+`","duration":60}`)
	if !strings.Contains(body, `"status":"rated"`) {
		k.t.Errorf("record %s of %s = %s, want it rated", callID, account, body)
	}
}

func (k *killed) send(url, body string) string {
	k.t.Helper()
	req, err := http.NewRequestWithContext(k.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(answer)
}
