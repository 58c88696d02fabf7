package native

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

// accRow is what acc_json writes of a transaction of the call "h".
func accRow(method, at string) string {
	return `{"method":"` + method + `","callid":"h","from_tag":"a","to_tag":"b","sip_code":"200","time":` + at + `,"caller":"1001","callee":"4420","account":"master"}`
}

func TestINVITEAndBYEThatArePostedApartAreOneCall(t *testing.T) {
	rig := newRatesRig(t)
	var imported any
	if status := rig.do(t, "POST", "/import/rates", "text/csv", strings.NewReader("prefix,price\n44,0.06\n"), &imported); status != 200 {
		t.Fatalf("rates: status %d", status)
	}
	for i, tt := range []struct{ body, status, price string }{
		{accRow("BYE", "1767607266"), "waiting", ""}, {accRow("BYE", "1767607266"), "waiting", ""},
		{accRow("INVITE", "1767607205"), "rated", "0.12"},
		{accRow("INVITE", "1767607205"), "duplicate", "0.12"}, {accRow("BYE", "1767607299"), "duplicate", "0.12"},
		{accRow("INVITE", "1767607205") + "\n" + accRow("BYE", "1767607266"), "duplicate", "0.12"}, // both in one body
	} {
		var got pushed
		if status := rig.do(t, "POST", "/cdrs/kamailio", "application/json", strings.NewReader(tt.body), &got); status != 200 || len(got.Items) != 1 {
			t.Fatalf("record %d: status %d, %+v", i, status, got)
		}
		price := ""
		if p := got.Items[0].Price; p != nil {
			price = *p
		}
		if got.Items[0].Status != tt.status || price != tt.price || got.Suspended != 0 {
			t.Errorf("record %d is %+v, want %s %s", i, got, tt.status, tt.price)
		}
	}
}

// TestRealRowsOfAccPostedOneByOne charges a proxy's table as its file does: 225 answered calls of 12,179 s.
func TestRealRowsOfAccPostedOneByOne(t *testing.T) {
	text, err := os.ReadFile("../../../shared/data/kamailio-acc.tsv")
	if err != nil {
		t.Skip("needs ../shared/data/kamailio-acc.tsv")
	}
	rig := newRatesRig(t)
	db := rig.env.DB
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		step := rating.Step{Seconds: 60, Price: 60_000_000}
		if err := tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Terms: rating.Terms{First: step, Next: step}}); err != nil {
			return err
		}
		return tx.SaveSource(&storage.Source{Name: "proxy", Pay: []rating.PayRule{{By: rating.PayByAll, Account: 1}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	columns := strings.Split(lines[0], "\t")
	post := func() (sum pushed) {
		for _, line := range lines[1:] {
			row := map[string]string{}
			for i, v := range strings.Split(line, "\t") {
				row[columns[i]] = v
			}
			body, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			var got pushed
			if status := rig.do(t, "POST", "/cdrs/kamailio?source=proxy", "application/json", strings.NewReader(string(body)), &got); status != 200 {
				t.Fatalf("%s: status %d", body, status)
			}
			sum.Rated, sum.Free, sum.Duplicates = sum.Rated+got.Rated, sum.Free+got.Free, sum.Duplicates+got.Duplicates
			sum.Suspended, sum.Waiting, sum.Skipped = sum.Suspended+got.Suspended, sum.Waiting+got.Waiting, sum.Skipped+got.Skipped
		}
		return sum
	}
	first := post()
	again := post()
	var answered, seconds int64
	err = db.View(t.Context(), func(tx *storage.Tx) error {
		return tx.EachLogged(0, func(_ uint64, id rating.CDRID) (bool, error) {
			var c rating.CDR
			if err := tx.CDR(id, &c); err != nil {
				return false, err
			}
			if c.Bool(rating.CDRSuccess) {
				answered++
				seconds += c.Int(rating.CDRDuration)
			}
			return true, nil
		})
	})
	if err != nil || answered != 225 || seconds != 12179 {
		t.Errorf("%d answered calls of %d s, %v, want 225 of 12179 s: first %+v, again %+v", answered, seconds, err, first, again)
	}
	if first.Waiting != 225 || first.Suspended != 0 || again.Rated+again.Free+again.Waiting+again.Suspended != 0 {
		t.Errorf("became %+v, and the second time %+v, want 225 that waited and nothing new", first, again)
	}
	if err := db.Check(t.Context(), false, func(fault string) { t.Errorf("check: %s", fault) }); err != nil {
		t.Fatal(err)
	}
}
