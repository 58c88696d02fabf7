package deckcsv

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"billd/rating"
)

func TestRoundTrip(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	rows := []Row{
		{Prefix: "44", Name: "UK", Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 123_456_789}, Next: rating.Step{Seconds: 1, Price: 1}}},
		{Prefix: "0044", Name: " \"odd\", two\r\nlines ", From: day, Till: day.AddDate(1, 0, 0), Blocked: true, Type: "MOBILE", Change: Deleted,
			Terms: rating.Terms{ConnectFee: 1, First: rating.Step{Seconds: 1, Price: -5}, Next: rating.Step{Seconds: 2, Price: 7_000_000_000}, FreeSeconds: 3,
				Grace: 4, Surcharge: 10_000, MinCost: 5, MaxCost: 6_000_000}},
		{Prefix: "+44*#", Name: "'x", Terms: rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}},
			Extra: []Extra{{"number", "17"}, {"uuid", "c3f1"}, {"weight", "5"}, {"routes", `["^\\+?44.+$"]`}}},
		{Prefix: "", Name: "everything, as Yeti has it", Terms: rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}},
		{Prefix: "44", Terms: rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}, Extra: []Extra{{"number", "18"}}},
	}
	var file bytes.Buffer
	w, err := NewWriter(&file, FormBilld, "routes")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	first := file.String()
	got := readText(t, first, Options{})
	if len(got.rejects) > 0 || len(got.rows) != len(rows) || got.layout.Form != FormBilld {
		t.Fatalf("rejects %v, %d rows of form %s; file:\n%s", got.rejects, len(got.rows), got.layout.Form, first)
	}
	for i := range rows {
		row := got.rows[i]
		row.Line, row.Given = 0, 0
		if fmt.Sprintf("%#v", row) != fmt.Sprintf("%#v", rows[i]) {
			t.Errorf("row %d: got %#v, want %#v", i, row, rows[i])
		}
	}
	if err := w.Write(&Row{Extra: []Extra{{"unheard", "1"}}}); rating.KindOf(err) != rating.Invalid {
		t.Errorf("an extra without a column: %v, want Invalid", err)
	}
}

func TestPortSIPExportIsReadBack(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, FormPortSIP)
	if err != nil {
		t.Fatal(err)
	}
	row := Row{Prefix: "*44", Name: "UK, all", Terms: rating.Terms{ConnectFee: 50_000, First: rating.Step{Seconds: 60, Price: 120_000_000}, Next: rating.Step{Seconds: 15, Price: 80_004_999}, Surcharge: 10_000}}
	if err := w.Write(&row); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "prefix,type,free_seconds,grace_period,interval_1,interval_n,connect_fee,postcall_surcharge,price_1,price_n,description\n" +
		"*44,INTERNATIONAL,0,0,60,15,0.05,0.01,0.12,0.08,\"UK, all\"\n"
	if file.String() != want {
		t.Errorf("file %q, want %q", file.String(), want)
	}
	compare(t, readText(t, want, Options{}), `*44 0.12 60/15 next 0.08 connect 0.05 surcharge 0.01 INTERNATIONAL "UK, all"`)
}
