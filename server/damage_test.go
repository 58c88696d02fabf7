package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/server/control"
	"billd/server/ops"
	"billd/server/watch"
	"billd/storage"
)

// running is a server on a store with the account north, who pays 0.06 a minute to 44.
type running struct {
	t          *testing.T
	dir        string
	url, token string
	client     *control.Client
	stop       func()
}

// serve starts a server and stops it, with a check of its store, at the end.
func serve(t *testing.T, o Options) *running {
	t.Helper()
	s := &running{t: t, dir: t.TempDir()}
	db, err := ops.OpenStore(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "north", Contractor: 1}); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 60_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: step, Next: step}})
	})
	if err != nil {
		t.Fatal(err)
	}
	access, err := ops.OpenAccess(t.Context(), s.dir, db)
	if err != nil {
		t.Fatal(err)
	}
	token, err := access.Tokens.Native(auth.Principal{Kind: auth.KindNative, AccountID: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.token = token.Text
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b, done := &banner{make(chan string, 1)}, make(chan error, 1)
	o.Dir, o.HTTP, o.Version, o.Banner, o.Commands = s.dir, "127.0.0.1:0", "test", b, ops.Commands()
	go func() { done <- Run(ctx, o) }()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve ended with %v", err)
		}
	}
	select {
	case s.url = <-b.url:
	case err := <-done:
		t.Fatalf("serve ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("serve prints no address")
	}
	if s.client, err = control.Dial(t.Context(), s.dir, "test"); err != nil {
		t.Fatal(err)
	}
	return s
}

// ended stops the server, checks its store and returns north's balance, how many calls are charged and how many held.
func (s *running) ended() (balance string, charged, held int) {
	s.t.Helper()
	s.stop()
	db, err := ops.OpenStore(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(s.t.Context(), true, func(fault string) { s.t.Errorf("check: %s", fault) }); err != nil {
		s.t.Fatal(err)
	}
	err = db.View(s.t.Context(), func(tx *storage.Tx) error {
		held = tx.Suspense.Count()
		a, err := tx.Accounts.Get(2)
		if err != nil {
			return err
		}
		b, err := tx.AccountBalance(a)
		balance = fmt.Sprint(b)
		if err != nil {
			return err
		}
		return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
			charged++
			return true, nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return balance, charged, held
}

// post sends a body to the native API and decodes the answer.
func (s *running) post(path, body string, into any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == 200 {
		err = json.Unmarshal(answer, into)
	}
	if err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("POST %s: %d %.300s, %v", path, resp.StatusCode, answer, err)
	}
}

// leg is a call as a switch tells of it: instants, and the seconds that it says were talk.
type leg struct {
	id                 string
	start, answer, end time.Time
	talk               string
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

// sources are how switches write calls, and where they may be posted.
var sources = []struct {
	format, push, head string
	row                func(leg) string
}{
	{"freeswitch-json", "/cdrs/freeswitch", "", func(l leg) string {
		return fmt.Sprintf(`{"core-uuid":"c","variables":{"direction":"inbound","uuid":"%s","accountcode":"north","start_uepoch":"%d","answer_uepoch":"%d","end_uepoch":"%d","billsec":"%s"},"callflow":[{"caller_profile":{"caller_id_number":"1001","destination_number":"4420"}}]}`+"\n",
			l.id, l.start.UnixMicro(), l.answer.UnixMicro(), l.end.UnixMicro(), l.talk)
	}},
	{"freeswitch-xml", "/cdrs/freeswitch", "", func(l leg) string {
		return fmt.Sprintf("<cdr><variables><uuid>%s</uuid><accountcode>north</accountcode><start_uepoch>%d</start_uepoch><answer_uepoch>%d</answer_uepoch><end_uepoch>%d</end_uepoch><billsec>%s</billsec></variables><callflow><caller_profile><destination_number>4420</destination_number></caller_profile></callflow></cdr>\n",
			l.id, l.start.UnixMicro(), l.answer.UnixMicro(), l.end.UnixMicro(), l.talk)
	}},
	{"freeswitch-csv", "", "", func(l leg) string {
		return fmt.Sprintf(`"A","1001","4420","default","%s","%s","%s","15","%s","NORMAL_CLEARING","%s","","north","PCMU","PCMU"`+"\n", stamp(l.start), stamp(l.answer), stamp(l.end), l.talk, l.id)
	}},
	{"asterisk-csv", "/cdrs/asterisk?format=asterisk-csv", "", func(l leg) string {
		return fmt.Sprintf(`"north","1001","4420","internal","c","SIP/a-1","SIP/b-2","Dial","SIP/b,60","%s","%s","%s",,%s,"ANSWERED","DOCUMENTATION","%s","","peer","x","7"`+"\n", stamp(l.start), stamp(l.answer), stamp(l.end), l.talk, l.id)
	}},
	{"asterisk-custom", "/cdrs/asterisk?format=asterisk-custom", "", func(l leg) string {
		return fmt.Sprintf(`"c","1001","4420","internal","c","d","Dial","x","%s","%s","%s","","%s","ANSWERED","DOCUMENTATION","north","%s","",7`+"\n", stamp(l.start), stamp(l.answer), stamp(l.end), l.talk, l.id)
	}},
	{"asterisk-json", "/cdrs/asterisk", "", func(l leg) string {
		return fmt.Sprintf(`{"accountcode":"north","src":"1001","dst":"4420","start":"%s","answer":"%s","end":"%s","billsec":%s,"disposition":"ANSWERED","uniqueid":"%s","sequence":7}`+"\n", stamp(l.start), stamp(l.answer), stamp(l.end), l.talk, l.id)
	}},
	{"kamailio", "/cdrs/kamailio", "", func(l leg) string {
		return fmt.Sprintf(`{"start_time":"%s","end_time":"%s","duration":"%s.0","callid":"%s","account":"north","caller":"1001","callee":"4420"}`+"\n", stamp(l.answer), stamp(l.end), l.talk, l.id)
	}},
	{"opensips", "/cdrs/opensips", "", func(l leg) string {
		return fmt.Sprintf(`{"method":"E_ACC_CDR","params":{"method":"INVITE","callid":"%s","sip_code":"200","time":%d,"duration":%s,"setuptime":%d,"account":"north","caller":"1001","callee":"4420"}}`+"\n", l.id, l.answer.Unix(), l.talk, int(l.end.Sub(l.start).Seconds()/3))
	}},
	{"csv", "", "call_id,account,dst,time_start,time_connect,time_end,duration\n", func(l leg) string {
		return fmt.Sprintf("%s,north,4420,%s,%s,%s,%s\n", l.id, stamp(l.start), stamp(l.answer), stamp(l.end), l.talk)
	}},
	{"json", "/cdrs", "", func(l leg) string {
		return fmt.Sprintf(`{"call_id":"%s","account":"north","dst":"4420","time_start":"%s","time_connect":"%s","time_end":"%s","duration":%s}`+"\n", l.id, stamp(l.start), stamp(l.answer), stamp(l.end), l.talk)
	}},
}

// What damagedFile holds: records that are charged, ones that are there already, and ones that cannot be charged.
// billd's own columns may tell of any call since 1970.
func damages(format string) (sound, repeated, spoilt int) {
	if format == "csv" || format == "json" {
		return 4, 1, 7
	}
	return 3, 1, 8
}

// damagedFile is a file of a format with three calls and everything that can be wrong beside them.
func damagedFile(head string, row func(leg) string, door string) string {
	begun := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	call := func(id int) leg {
		start := begun.Add(time.Duration(id) * time.Hour)
		return leg{fmt.Sprintf("%s-%d", door, id), start, start.Add(5 * time.Second), start.Add(15 * time.Second), "10"}
	}
	moved := func(l leg, to time.Time) leg {
		by := to.Sub(l.start)
		l.start, l.answer, l.end = to, l.answer.Add(by), l.end.Add(by)
		return l
	}
	negative, backwards, other := call(5), call(6), call(0)
	negative.talk = "-10"
	backwards.end = backwards.start.Add(-time.Hour)
	other.end, other.talk = other.end.Add(20*time.Second), "30"
	cut := row(moved(call(1), call(1).start.Add(secondOf(door))))
	noisy := row(call(7))
	return head + row(call(0)) +
		cut[:len(cut)/2] + "\n" +
		row(moved(call(3), time.Unix(0, 0).UTC().Add(secondOf(door)))) + // a clock that was not set
		row(call(2)) +
		row(moved(call(4), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))) +
		row(negative) +
		row(backwards) +
		noisy[:len(noisy)/2] + "\x00\xfe\x01\x02" + noisy[len(noisy)/2+4:] +
		row(call(0)) + // once more
		row(other) + // under the id of another call
		strings.Repeat("x"+door, 10_000) + "\n" +
		row(call(8))
}

// secondOf keeps records without a usable id apart, whichever door they come by.
func secondOf(door string) time.Duration {
	return time.Duration(crc32.ChecksumIEEE([]byte(door))%3600) * time.Second
}

// TestDamageIsHeldAndTheRestIsChargedOnce brings the same damages in by each door and in each format, twice.
func TestDamageIsHeldAndTheRestIsChargedOnce(t *testing.T) {
	var places []watch.Place
	spool := t.TempDir()
	for _, f := range sources {
		place, err := watch.Parse(filepath.Join(spool, f.format) + "?every=10ms&format=" + url.PathEscape(f.format))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(place.Path, 0o750); err != nil {
			t.Fatal(err)
		}
		places = append(places, place)
	}
	s := serve(t, Options{Watch: places})
	calls, bad := 0, 0
	for i, f := range sources {
		soundRecords, repeated, spoilt := damages(f.format)
		t.Run("imported/"+f.format, func(t *testing.T) {
			calls, bad = calls+soundRecords, bad+spoilt
			for n := range 2 {
				var out, errs bytes.Buffer
				args, _ := json.Marshal(ops.ImportCDRsArgs{Format: f.format, JSON: true, Input: ops.Input{Name: "x"}})
				exit, err := s.client.Call(t.Context(), "import-cdrs", args, &ops.IO{In: strings.NewReader(damagedFile(f.head, f.row, "import-"+f.format)), Out: &out, Err: &errs})
				var sum ops.ImportedCDRs
				if err != nil || exit != ops.ExitPartly || json.Unmarshal(out.Bytes(), &sum) != nil {
					t.Fatalf("exit %d, %v: %s%s", exit, err, out.String(), errs.String())
				}
				if sum.Rated+sum.Duplicates != soundRecords+repeated || sum.Rated != soundRecords*(1-n) || sum.Suspended != spoilt {
					t.Errorf("time %d: %+v\n%s", n+1, sum, errs.String())
				}
				for _, r := range sum.Rejected {
					if r.Line < 1 || r.Reason == "" || r.Detail == "" || r.Suspense == 0 {
						t.Errorf("rejected without a word: %+v", r)
					}
				}
				if !strings.Contains(errs.String(), "conflict: call id already used by another record") {
					t.Errorf("nothing of the other record under the same id: %s", errs.String())
				}
			}
		})
		t.Run("watched/"+f.format, func(t *testing.T) {
			calls, bad = calls+soundRecords, bad+spoilt
			for n := range 2 {
				name := fmt.Sprintf("%d.cdr", n)
				hidden, path := filepath.Join(places[i].Path, ".x.tmp"), filepath.Join(places[i].Path, name)
				if err := os.WriteFile(hidden, []byte(damagedFile(f.head, f.row, "watch-"+f.format)), 0o640); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(hidden, path); err != nil {
					t.Fatal(err)
				}
				done := filepath.Join(places[i].Path, "done", name)
				for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
					if _, err := os.Stat(done); err == nil {
						break
					}
					if time.Since(began) > time.Minute {
						t.Fatal("the file is not taken in")
					}
				}
				b, err := os.ReadFile(done + ".rejects")
				if err != nil {
					t.Fatal(err)
				}
				rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
				if err != nil || len(rows) != 1+spoilt {
					t.Errorf("rejects are %q, %v, want %d", rows, err, spoilt)
				}
				for _, row := range rows {
					if row[0] == "" || row[2] == "" || row[3] == "" {
						t.Errorf("rejected without a word: %q", row)
					}
				}
			}
		})
		if f.push == "" {
			continue
		}
		t.Run("pushed/"+f.format, func(t *testing.T) {
			calls, bad = calls+soundRecords, bad+spoilt
			for n := range 2 {
				var sum struct {
					Items                              []struct{ Status, Reason string }
					Rated, Duplicates, Suspended, Free int
				}
				s.post(f.push, damagedFile(f.head, f.row, "push-"+f.format), &sum)
				if sum.Rated+sum.Duplicates != soundRecords+repeated || sum.Rated != soundRecords*(1-n) || sum.Suspended != spoilt {
					t.Errorf("time %d: %+v", n+1, sum)
				}
				for _, item := range sum.Items {
					if item.Status == "suspended" && item.Reason == "" {
						t.Errorf("held without a word: %+v", sum)
					}
				}
			}
		})
	}
	balance, charged, held := s.ended()
	if want := fmt.Sprintf("-%d.%02d", calls*6/100, calls*6%100); balance != want || charged != calls || held != bad {
		t.Errorf("balance %s, %d calls, %d held, want %s, %d and %d", balance, charged, held, want, calls, bad)
	}
}
