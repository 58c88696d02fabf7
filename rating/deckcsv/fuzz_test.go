package deckcsv

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"billd/rating"
)

// FuzzReader checks that no file makes the Reader panic or go on for ever, that each result is a
// rate that can be charged by or a reject with a reason, and that what was read can be written and
// comes back the same.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"prefix,price\n44,0.1\n", "44;0,1;60/1\n45;0,2;1/1\n", "sep=;\nCode;Rate\n44;$0.1-$0.2\n",
		"Country Code,City Code,Rate\n44,\"20,30-35\",0.1\n1,,x\n", "\xff\xfep\x00,\x00", "prefix,name,price\n44,\"UK,0.1\n45,\"a\nb\",0.2\n",
		"code,rate,effective date,status,increment\n44,0.1,31/12/2026,new,60/6\n", "format,prefix,price,name,uuid\nbilld/1,,-0.1,\" x\",\n",
		"prefix\trate/sec\n+1 (264)\t\xc9\n00-01\t1,234.5\n", "a\r\"b\r", "prefix,price\n" + strings.Repeat("1-9|", 50) + ",1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file), Options{MaxLine: 4096})
		if err != nil {
			var refusal *rating.Error
			if !errors.As(err, &refusal) || refusal.Msg == "" {
				t.Fatalf("refused with %T %v, want a rating.Error", err, err)
			}
			return
		}
		var kept bytes.Buffer
		names := []string{}
		for _, c := range r.Layout().Columns {
			if c.Field == FieldExtra && c.Extra != "" {
				names = append(names, c.Extra)
			}
		}
		w, err := NewWriter(&kept, FormBilld, append(names, "enabled")...)
		if err != nil {
			t.Skip(err)
		}
		limit, rows := (len(file)+1)*(maxOpened+1), 0
		for n := 0; ; n++ {
			row, reject, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil || n > limit {
				t.Fatalf("result %d of a file of %d bytes: %v", n, len(file), err)
			}
			if reject != nil {
				if reject.Reason == "" || reject.Line < 1 || row.Line != 0 {
					t.Fatalf("reject %+v with row %+v", reject, row)
				}
				continue
			}
			if err := row.Terms.Valid(); err != nil || row.Line < 1 || rating.CheckPrefix(row.Prefix) != nil {
				t.Fatalf("row %+v: %v", row, err)
			}
			if err := w.Write(&row); err != nil {
				t.Fatal(err)
			}
			rows++
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		checkKept(t, kept.Bytes(), rows)
	})
}

// checkKept reads an export and writes it once more: the bytes must be the same.
func checkKept(t *testing.T, file []byte, want int) {
	t.Helper()
	if want == 0 {
		return
	}
	r, err := NewReader(bytes.NewReader(file), Options{MaxLine: 1 << 16})
	if err != nil {
		t.Fatalf("own export refused: %v\n%q", err, file)
	}
	var again bytes.Buffer
	var w *Writer
	var extras []string
	for _, c := range r.Layout().Columns {
		if c.Field == FieldExtra {
			extras = append(extras, c.Extra)
		}
	}
	if w, err = NewWriter(&again, FormBilld, extras...); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for {
		row, reject, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil || reject != nil {
			t.Fatalf("own export: %v %v\n%q", reject, err, file)
		}
		if err := w.Write(&row); err != nil {
			t.Fatal(err)
		}
		rows++
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if rows != want || !bytes.Equal(file, again.Bytes()) {
		t.Fatalf("%d rows, want %d\nfirst  %q\nsecond %q", rows, want, file, again.Bytes())
	}
}
