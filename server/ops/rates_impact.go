package ops

import (
	"fmt"
	"io"
	"time"

	"billd/rating"
	"billd/storage"
)

// impactDays is how far back the preview of an import looks for calls that are not to be rerated.
const impactDays = 30

const day = 24 * time.Hour

// ImpactReport is what an import would have changed, had it been in force for the last days. Amounts are
// gross, in the deck's currency: what customers pay, or what a vendor is paid.
type ImpactReport struct {
	Days         int          `json:"days"`
	From         string       `json:"from"`
	Till         string       `json:"till"`
	RatesAsOf    string       `json:"rates_as_of"` // the list's last dated rate counts from then
	Currency     string       `json:"currency"`
	Examined     int          `json:"examined"` // calls
	Truncated    bool         `json:"truncated"`
	Calls        int          `json:"calls"` // that the deck prices, before or after
	Unpriced     int          `json:"unpriced"`
	NewlyPriced  int          `json:"newly_priced"`
	Old          rating.Money `json:"old"`
	New          rating.Money `json:"new"`
	Difference   rating.Money `json:"difference"`
	Accounts     []ImpactLine `json:"accounts"`
	Destinations []ImpactLine `json:"destinations"`
}

// ImpactLine is one account or one destination of an ImpactReport, the largest difference first.
type ImpactLine struct {
	Account    uint64       `json:"account_id,omitempty"`
	Prefix     string       `json:"prefix,omitempty"`
	Name       string       `json:"name"`
	Calls      int          `json:"calls"`
	Old        rating.Money `json:"old"`
	New        rating.Money `json:"new"`
	Difference rating.Money `json:"difference"`
}

func describeImpact(i *storage.Impact, span time.Duration, currency string) *ImpactReport {
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	r := &ImpactReport{Days: int((span + day - 1) / day), From: stamp(i.From), Till: stamp(i.Till), RatesAsOf: stamp(i.At), Currency: currency, Examined: i.Examined,
		Truncated: i.Truncated, Calls: i.Calls, Unpriced: i.Unpriced, NewlyPriced: i.NewlyPriced, Old: i.Old, New: i.New, Difference: i.New - i.Old,
		Accounts: []ImpactLine{}, Destinations: []ImpactLine{}}
	if i.At.IsZero() {
		r.RatesAsOf = r.Till
	}
	for _, a := range i.Accounts {
		r.Accounts = append(r.Accounts, ImpactLine{Account: uint64(a.Account), Name: a.Name, Calls: a.Calls, Old: a.Old, New: a.New, Difference: a.New - a.Old})
	}
	for _, d := range i.Destinations {
		r.Destinations = append(r.Destinations, ImpactLine{Prefix: d.Prefix, Name: d.Name, Calls: d.Calls, Old: d.Old, New: d.New, Difference: d.New - d.Old})
	}
	return r
}

// Lines of the preview.
const (
	shownAccounts     = 20
	shownDestinations = 10
)

// print writes the impact below the preview; nothing where the deck priced no call.
func (r *ImpactReport) print(w io.Writer) error {
	if r == nil || r.Calls == 0 {
		return nil
	}
	fmt.Fprintf(w, "impact on the calls from %s to %s, of %d looked at %d are priced by the deck, with the rates as of %s:\n", r.From, r.Till, r.Examined, r.Calls, r.RatesAsOf)
	if r.Truncated {
		fmt.Fprintf(w, "warning: only the latest %d calls were looked at\n", r.Examined)
	}
	t := NewTable(w, "account", "name", "calls", "old "+r.Currency, "new "+r.Currency, "difference")
	for _, l := range r.Accounts[:min(len(r.Accounts), shownAccounts)] {
		t.Row(l.Account, l.Name, l.Calls, l.Old, l.New, signedAmount(l.Difference))
	}
	if more := len(r.Accounts) - shownAccounts; more > 0 {
		t.Row("", fmt.Sprintf("… %d more", more), "", "", "", "")
	}
	t.Row("", "all", r.Calls, r.Old, r.New, signedAmount(r.Difference))
	if err := t.Close(); err != nil {
		return err
	}
	t = NewTable(w, "prefix", "destination", "calls", "old "+r.Currency, "new "+r.Currency, "difference")
	for _, l := range r.Destinations[:min(len(r.Destinations), shownDestinations)] {
		t.Row(l.Prefix, l.Name, l.Calls, l.Old, l.New, signedAmount(l.Difference))
	}
	if err := t.Close(); err != nil {
		return err
	}
	if r.Unpriced > 0 {
		fmt.Fprintf(w, "warning: calls that no rate would price any more: %d\n", r.Unpriced)
	}
	if r.NewlyPriced > 0 {
		fmt.Fprintf(w, "calls that no rate priced before: %d\n", r.NewlyPriced)
	}
	return nil
}

// signedAmount writes an amount with its sign.
func signedAmount(m rating.Money) string {
	if m > 0 {
		return "+" + m.String()
	}
	return m.String()
}
