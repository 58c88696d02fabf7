package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// Sizes of the sample provider.
const (
	demoCalls = 10000
	demoDays  = 60
	demoBatch = 2500 // calls a commit
)

// demoCustomer is one of the sample's customers.
type demoCustomer struct {
	name, zone string
	vat        string
	period     rating.PeriodID
	paid       string
	weight     int      // share of the calls
	dials      []string // prefixes it calls most
}

var demoCustomers = []demoCustomer{
	{"Northfield Dental", "Europe/London", "20", 4, "250", 3, []string{"44", "447", "353", "33"}},
	{"Kaffeehaus Linden", "Europe/Berlin", "19", 4, "120", 2, []string{"49", "4915", "43", "41"}},
	{"Baltic Freight", "Europe/Vilnius", "21", 4, "800", 5, []string{"370", "371", "372", "48", "49"}},
	{"Lakeview Hotel", "America/New_York", "0", 4, "400", 4, []string{"1", "52", "1876", "1809"}},
	{"Harbour Call Centre", "Europe/Kyiv", "20", 4, "2500", 12, []string{"380", "38067", "48", "373", "90"}},
}

// FillDemo fills an empty store with a sample provider: a deck, customers and vendors, two months of
// calls, payments and invoices. A store that holds customers already is left as it is.
func FillDemo(ctx context.Context, env *Env, out io.Writer) error {
	used := false
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		used = tx.Accounts.Count() > 1
		return nil
	})
	if err != nil {
		return err
	}
	if used {
		fmt.Fprintln(out, "--demo: the store is not empty, it is served as it is")
		return nil
	}
	d := &demo{env: env, random: rand.New(rand.NewPCG(2026, 11)), now: env.DB.Now()}
	for _, step := range []func(context.Context) error{d.makeDecks, d.makeParties, d.makeCalls, d.makeInvoices} {
		if err := step(storage.As(ctx, "demo")); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	fmt.Fprintf(out, "SAMPLE DATA: %d rates, %d customers, 2 vendors, %d calls over %d days, %d invoices. Not for real use.\n",
		len(d.prices), len(demoCustomers), demoCalls, demoDays, d.invoices)
	return nil
}

// demo builds the sample. Its choices come from a fixed seed, its dates end now.
type demo struct {
	env      *Env
	random   *rand.Rand
	now      time.Time
	prices   []demoPrice
	accounts []*rating.Account
	vendors  [2]*rating.Account
	invoices int
}

type demoPrice struct {
	prefix, name string
	price        rating.Price
}

func (d *demo) makeDecks(ctx context.Context) error {
	for line := range strings.SplitSeq(demoDeck, "\n") {
		f := strings.Split(line, ";")
		milli, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			return err
		}
		d.prices = append(d.prices, demoPrice{f[0], f[1], rating.Price(milli * 1_000_000)})
	}
	return d.env.DB.Update(ctx, func(tx *storage.Tx) error {
		for i, v := range []struct{ name, deck string }{{"Meridian Carrier", "meridian-cost"}, {"Tidewater Telecom", "tidewater-cost"}} {
			owner := &storage.Contractor{Name: v.name, Enabled: true, Vendor: true}
			if err := tx.Contractors.Put(owner); err != nil {
				return err
			}
			d.vendors[i] = &rating.Account{Name: v.name, Contractor: owner.ID}
			if err := tx.CreateAccount(d.vendors[i]); err != nil {
				return err
			}
			deck := &rating.Deck{Name: v.deck, Currency: tx.Settings().Currency, Preset: rating.PresetPortSIP, Vendor: d.vendors[i].ID, CreatedAt: tx.Now()}
			if err := tx.Decks.Put(deck); err != nil {
				return err
			}
			if err := d.putRates(tx, deck.ID, rating.Price(55+10*i)); err != nil {
				return err
			}
		}
		return d.putRates(tx, rating.DefaultDeck, 100)
	})
}

// putRates fills a deck with the price list at a percentage.
func (d *demo) putRates(tx *storage.Tx, deck rating.DeckID, percent rating.Price) error {
	for _, p := range d.prices {
		step := rating.Step{Seconds: 60, Price: p.price * percent / 100}
		next := rating.Step{Seconds: 1, Price: step.Price}
		if strings.HasSuffix(p.name, "mobile") {
			next.Seconds = 60
		}
		r := &rating.Rate{Deck: deck, Prefix: p.prefix, Name: p.name, Terms: rating.Terms{First: step, Next: next}}
		if err := tx.Rates.Put(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) makeParties(ctx context.Context) error {
	return d.env.DB.Update(ctx, func(tx *storage.Tx) error {
		for _, c := range demoCustomers {
			owner := &storage.Contractor{Name: c.name, Enabled: true, Customer: true}
			if err := tx.Contractors.Put(owner); err != nil {
				return err
			}
			vat, err := rating.ParsePercent(c.vat)
			if err != nil {
				return err
			}
			a := &rating.Account{Name: c.name, Contractor: owner.ID, Timezone: c.zone, VAT: vat, InvoicePeriod: c.period}
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
			d.accounts = append(d.accounts, a)
			amount, err := rating.ParseMoney(c.paid)
			if err != nil {
				return err
			}
			for days := demoDays; days > 0; days -= 20 {
				notes := "Bank transfer"
				p := &storage.Payment{Account: a.ID, Amount: amount / 3, Notes: &notes, CreatedAt: d.now.AddDate(0, 0, -days)}
				if err := tx.Pay(p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (d *demo) makeCalls(ctx context.Context) error {
	total := 0
	for _, c := range demoCustomers {
		total += c.weight
	}
	records := make([]storage.Record, demoCalls)
	for i := range records {
		who := d.random.IntN(total)
		at := 0
		for who >= demoCustomers[at].weight {
			who -= demoCustomers[at].weight
			at++
		}
		records[i].Call = d.call(i, at)
	}
	slices.SortStableFunc(records, func(a, b storage.Record) int {
		return cmp.Compare(a.Call.Int(rating.CDRTimeStart), b.Call.Int(rating.CDRTimeStart))
	})
	for batch := range slices.Chunk(records, demoBatch) {
		if _, err := d.env.DB.ChargeNow(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// call makes one call of a customer: in its working hours mostly, mostly to where it usually calls.
func (d *demo) call(i, customer int) *rating.Call {
	c := demoCustomers[customer]
	loc := d.accounts[customer].Location()
	day := d.now.In(loc).AddDate(0, 0, -1-d.random.IntN(demoDays-1))
	hour := 8 + d.random.IntN(10)
	if d.random.IntN(10) == 0 {
		hour = d.random.IntN(24)
	}
	start := time.Date(day.Year(), day.Month(), day.Day(), hour, d.random.IntN(60), d.random.IntN(60), d.random.IntN(1000)*1_000_000, loc)
	prefix := c.dials[d.random.IntN(len(c.dials))]
	if d.random.IntN(8) == 0 {
		prefix = d.prices[d.random.IntN(len(d.prices))].prefix
	}
	number := prefix + fmt.Sprintf("%0*d", max(12-len(prefix), 4), d.random.Int64N(1e8))
	call := &rating.Call{}
	call.SetTime(rating.CDRTimeStart, start)
	call.SetText(rating.CDRCallID, fmt.Sprintf("demo-%05d@sip.local", i))
	call.SetText(rating.CDRSource, "demo")
	call.SetText(rating.CDRSrcPrefixRouting, fmt.Sprintf("%s5550%03d", c.dials[0], d.random.IntN(40)))
	call.SetText(rating.CDRDstPrefixRouting, number)
	call.SetText(rating.CDRDstPrefixIn, number)
	call.AccountRef = d.accounts[customer].Name
	call.VendorRef = d.vendors[d.random.IntN(2)].Name
	if d.random.IntN(6) == 0 {
		call.SetBool(rating.CDRSuccess, false)
		call.SetTime(rating.CDRTimeEnd, start.Add(time.Duration(d.random.IntN(40))*time.Second))
		call.SetInt(rating.CDRLegaDisconnectCode, 486)
		call.SetText(rating.CDRLegaDisconnectReason, "Busy here")
		return call
	}
	ring := time.Duration(2000+d.random.IntN(9000)) * time.Millisecond
	talk := time.Duration(1+int(d.random.ExpFloat64()*140)) * time.Second
	call.SetTime(rating.CDRTimeConnect, start.Add(ring))
	call.SetTime(rating.CDRTimeEnd, start.Add(ring+talk))
	call.SetInt(rating.CDRLegaDisconnectCode, 200)
	call.SetText(rating.CDRLegaDisconnectReason, "OK")
	return call
}

// makeInvoices makes the invoices of the last two whole months, and approves the older one.
func (d *demo) makeInvoices(ctx context.Context) error {
	for _, a := range d.accounts {
		month := a.InvoicePeriod.Containing(d.now, a.Location())
		for back := range 2 {
			end := month.Start
			month = rating.Period{Start: a.InvoicePeriod.StartBefore(end, a.Location()), End: end}
			var inv *rating.Invoice
			err := d.env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
				inv, err = tx.CreateInvoice(a, rating.InvoiceAutoFull, month)
				return err
			})
			if err != nil {
				return err
			}
			if _, err = d.env.DB.FillInvoice(ctx, inv.ID); err != nil {
				return err
			}
			d.invoices++
			if back == 0 {
				continue
			}
			err = d.env.DB.Update(ctx, func(tx *storage.Tx) error {
				_, err := tx.ApproveInvoice(inv.ID)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
