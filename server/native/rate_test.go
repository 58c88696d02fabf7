package native

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestRateIsWhatExplainSays holds the lean price against the one that is explained.
func TestRateIsWhatExplainSays(t *testing.T) {
	rig := newRatesRig(t)
	var report ratesAnswer
	rig.do(t, "POST", "/import/rates", "text/csv", strings.NewReader("prefix,price,interval_1,interval_n,connect_fee,name\n44,0.06,60,60,0.1,UK\n4420,0.05,1,1,0,London\n49,0,60,60,0,\"Deutsch \"\"land\"\"\"\n"), &report)
	var prices struct{ Items []json.RawMessage }
	var asks []string
	type ask struct{ number, account string }
	for _, a := range []ask{{"442079460000", ""}, {"447700900000", ""}, {"4930", "master"}, {"999", ""}} {
		for _, seconds := range []int{0, 1, 60, 61, 3599} {
			account := ""
			if a.account != "" {
				account = fmt.Sprintf(`,"account":%q`, a.account)
			}
			asks = append(asks, fmt.Sprintf(`{"number":%q,"seconds":%d%s}`, a.number, seconds, account))
		}
	}
	rig.do(t, "POST", "/rate", "application/json", strings.NewReader("["+strings.Join(asks, ",")+"]"), &prices)
	if len(prices.Items) != len(asks) {
		t.Fatalf("%d items, want %d", len(prices.Items), len(asks))
	}
	type priced struct {
		Number, Prefix, Currency, Deck string
		Price, Net, Tax, Gross         string
		RateID                         int             `json:"rate_id"`
		Billed                         int             `json:"billed_seconds"`
		Error                          json.RawMessage `json:"error"`
	}
	for i, text := range asks {
		var q struct {
			Number, Account string
			Seconds         int
		}
		if err := json.Unmarshal([]byte(text), &q); err != nil {
			t.Fatal(err)
		}
		var one, item, want priced
		rig.do(t, "POST", "/rate", "application/json", strings.NewReader(text), &one)
		if err := json.Unmarshal(prices.Items[i], &item); err != nil {
			t.Fatal(err)
		}
		rig.do(t, "GET", fmt.Sprintf("/explain?number=%s&seconds=%d&account=%s", q.Number, q.Seconds, q.Account), "", nil, &want)
		want.Price, want.Gross = want.Gross, ""
		if len(want.Error) > 0 {
			if len(one.Error) == 0 || len(item.Error) == 0 {
				t.Errorf("%s: %+v and %+v, want errors as %s", text, one, item, want.Error)
			}
			continue
		}
		if got := fmt.Sprint(one); got != fmt.Sprint(want) || fmt.Sprint(item) != got {
			t.Errorf("%s: alone %v, in an array %v, want %v", text, one, item, want)
		}
	}
}

func TestRateBoundsItsArray(t *testing.T) {
	rig := newRatesRig(t)
	var answer struct{ Error problem }
	body := "[" + strings.Repeat(`{"number":"44","seconds":1},`, maxAsks) + `{"number":"44","seconds":1}]`
	if status := rig.do(t, "POST", "/rate", "application/json", strings.NewReader(body), &answer); status != 400 || answer.Error.Field != "body" {
		t.Errorf("status %d, %+v, want 400 for the body", status, answer.Error)
	}
}
