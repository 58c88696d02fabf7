package native

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// freeswitchBody is what mod_json_cdr posts of a call of 61 s to 4420.
const freeswitchBody = `{"core-uuid":"c0","variables":{"direction":"inbound","uuid":"fs-1","accountcode":"master","start_uepoch":"1767607200000000","start_stamp":"2026-01-05%2010%3A00%3A00","answer_uepoch":"1767607205000000","end_uepoch":"1767607266000000","billsec":"61","hangup_cause":"NORMAL_CLEARING"},"callflow":[{"caller_profile":{"caller_id_number":"1001","destination_number":"4420"}}]}`

// pushed is the answer to a switch.
type pushed struct {
	Items []struct {
		ID, Status string
		Price      *string
	}
	Rated, Free, Duplicates, Suspended, Waiting, Skipped int
}

func TestAFreeSWITCHCallIsOneInEveryEncoding(t *testing.T) {
	rig := newRatesRig(t)
	var imported any
	if status := rig.do(t, "POST", "/import/rates", "text/csv", strings.NewReader("prefix,price\n44,0.06\n"), &imported); status != 200 {
		t.Fatalf("rates: status %d", status)
	}
	for i, tt := range []struct{ name, kind, path, body string }{
		{"raw", "application/json", "/cdrs/freeswitch?uuid=fs-1", freeswitchBody},
		{"raw, labelled as a form", "application/x-www-form-urlencoded", "/cdrs/freeswitch?uuid=fs-1", freeswitchBody},
		{"a form", "application/x-www-form-urlencoded", "/cdrs/freeswitch?legs=a?uuid=fs-1", "cdr=" + url.QueryEscape(freeswitchBody)},
		{"base64", "application/x-www-form-base64-encoded", "/cdrs/freeswitch?source=freeswitch?uuid=fs-1", "cdr=" + base64.StdEncoding.EncodeToString([]byte(freeswitchBody))},
		{"a wrong label", "multipart/form-data", "/cdrs/freeswitch", freeswitchBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got pushed
			if status := rig.do(t, "POST", tt.path, tt.kind, strings.NewReader(tt.body), &got); status != 200 {
				t.Fatalf("status %d", status)
			}
			if i == 0 && got.Rated != 1 || i > 0 && got.Duplicates != 1 || got.Items[0].Price == nil || *got.Items[0].Price != "0.12" {
				t.Errorf("got %+v, want one call of 0.12, rated once", got)
			}
		})
	}
}

func TestWhatASwitchCannotMendIsKeptAndAnsweredWith200(t *testing.T) {
	rig := newRatesRig(t)
	for _, tt := range []struct {
		name, path, body   string
		suspended, skipped int
	}{
		{"a body cut off", "/cdrs/freeswitch", freeswitchBody[:100], 1, 0},
		{"no rate", "/cdrs/freeswitch", freeswitchBody, 1, 0},
		{"in 2099", "/cdrs/freeswitch", strings.NewReplacer("17676072", "40892544").Replace(freeswitchBody), 1, 0},
		{"a second leg", "/cdrs/freeswitch", strings.Replace(freeswitchBody, `"inbound"`, `"outbound","call_uuid":"other"`, 1), 0, 1},
		{"columns that can be read in two ways", "/cdrs/asterisk?format=asterisk-csv", strings.Repeat("x,", 16) + "x\n", 1, 0},
		{"a BYE of no dialog", "/cdrs/kamailio", `{"method":"BYE","from_tag":"f","to_tag":"t","sip_code":"200","time":1767607205}`, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // a switch that missed the answer sends again
				var got pushed
				if status := rig.do(t, "POST", tt.path, "application/json", strings.NewReader(tt.body), &got); status != 200 || got.Suspended != tt.suspended || got.Skipped != tt.skipped {
					t.Errorf("status %d, %+v, want 200, %d suspended, %d skipped", status, got, tt.suspended, tt.skipped)
				}
			}
		})
	}
}

func TestASwitchMaySendItsTokenAsAPassword(t *testing.T) {
	rig := newRatesRig(t)
	for _, tt := range []struct {
		name, password string
		want           int
	}{{"the token", rig.token, 200}, {"another word", "secret", 401}, {"nothing", "", 401}} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "POST", rig.base+"/cdrs/freeswitch", strings.NewReader(freeswitchBody))
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("freeswitch", tt.password)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("status = %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
}
