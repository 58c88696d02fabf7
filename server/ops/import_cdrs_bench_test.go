package ops

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// BenchmarkImportSources imports files of the families of switches, each record a call of its own that is charged.
func BenchmarkImportSources(b *testing.B) {
	const records, accounts = 100_000, 100
	at := func(t time.Time) string { return t.Format("2006-01-02 15:04:05") }
	for _, bb := range []struct {
		format, head string
		row          func(n int, account string, start, answer, end time.Time) string
	}{
		{"freeswitch-json", "", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf(`{"core-uuid":"c0","variables":{"direction":"inbound","uuid":"%08x-6f5c-4f3e-9e0a-0242ac110002","accountcode":"%s","start_uepoch":"%d","answer_uepoch":"%d","end_uepoch":"%d","duration":"65","billsec":"60","hangup_cause":"NORMAL_CLEARING"},"callflow":[{"caller_profile":{"caller_id_number":"1001","destination_number":"442071%06d"}}]}`+"\n",
				n, account, start.UnixMicro(), answer.UnixMicro(), end.UnixMicro(), n)
		}},
		{"asterisk-csv", "", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf(`"%s","1001","442071%06d","internal","""A"" <1001>","SIP/a-1","SIP/b-2","Dial","SIP/b,60","%s","%s","%s",65,60,"ANSWERED","DOCUMENTATION","%d.%d","","","x",%d`+"\n", account, n, at(start), at(answer), at(end), start.Unix(), n, n)
		}},
		{"kamailio", "", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf(`{"start_time":"%s","end_time":"%s","duration":"60.0","callid":"%d@proxy","account":"%s","caller":"1001","callee":"442071%06d"}`+"\n", at(answer), at(end), n, account, n)
		}},
		{"opensips", "", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf(`{"method":"E_ACC_CDR","params":{"method":"INVITE","callid":"%d@proxy","sip_code":"200","time":%d,"duration":60,"setuptime":5,"account":"%s","caller":"1001","callee":"442071%06d"}}`+"\n", n, answer.Unix(), account, n)
		}},
		{"csv", "call_id,account,src,dst,time_start,time_connect,time_end,duration\n", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf("%d,%s,1001,442071%06d,%s,%s,%s,60\n", n, account, n, at(start), at(answer), at(end))
		}},
		{"json", "", func(n int, account string, start, answer, end time.Time) string {
			return fmt.Sprintf(`{"call_id":"%d","account":"%s","src":"1001","dst":"442071%06d","time_start":"%s","time_connect":"%s","time_end":"%s","duration":60}`+"\n", n, account, n, at(start), at(answer), at(end))
		}},
	} {
		b.Run(bb.format, func(b *testing.B) {
			var file bytes.Buffer
			file.WriteString(bb.head)
			begun := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
			for n := range records {
				start := begun.Add(time.Duration(n) * 250 * time.Millisecond).Truncate(time.Second)
				file.WriteString(bb.row(n, fmt.Sprintf("north-%02d", n%accounts), start, start.Add(5*time.Second), start.Add(65*time.Second)))
			}
			var took time.Duration
			for b.Loop() {
				b.StopTimer()
				db, err := OpenStore(b.Context(), b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				err = db.Update(b.Context(), func(tx *storage.Tx) error {
					for n := range accounts {
						if err := tx.CreateAccount(&rating.Account{Name: fmt.Sprintf("north-%02d", n), Contractor: 1}); err != nil {
							return err
						}
					}
					step := rating.Step{Seconds: 60, Price: 60_000_000}
					return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: step, Next: step}})
				})
				if err != nil {
					b.Fatal(err)
				}
				env := &Env{DB: db, Log: slog.New(slog.DiscardHandler)}
				var out, errs bytes.Buffer
				o := (&IO{In: bytes.NewReader(file.Bytes()), Out: &out, Err: &errs}).filled()
				b.StartTimer()
				began := time.Now()
				code, err := importCDRs(b.Context(), env, ImportCDRsArgs{Format: bb.format, Input: Input{Name: "bench"}}, &o)
				took += time.Since(began)
				b.StopTimer()
				if err != nil || code != ExitOK {
					b.Fatalf("exit %d, %v: %.500s", code, err, errs.String())
				}
				if err := db.Check(b.Context(), false, func(fault string) { b.Error(fault) }); err != nil {
					b.Fatal(err)
				}
				db.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(records*b.N)/took.Seconds(), "cdr/s")
			b.ReportMetric(float64(file.Len()*b.N)/took.Seconds()/1e6, "MB/s")
		})
	}
}
