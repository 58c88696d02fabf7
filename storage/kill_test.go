package storage

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// killStore makes this test binary a charging process on the store that it names.
const killStore = "BILLD_TEST_KILL_STORE"

func TestMain(m *testing.M) {
	if path := os.Getenv(killStore); path != "" {
		if err := chargeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// Work of a charging process. Every client delivers records of its own; all print what was acknowledged.
const (
	killClients = 8
	killStart   = 1_763_640_000 // unix seconds, the first call's start
)

// killRounds is how often TestKillWhileCharging kills: 8, or 40 where CI is set, or BILLD_KILL_ROUNDS.
func killRounds(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("BILLD_KILL_ROUNDS")); err == nil && n > 0 {
		return n
	}
	if os.Getenv("CI") != "" {
		return 40
	}
	if testing.Short() {
		return 2
	}
	return 8
}

// killRecord is record n of a client: the same in every process, so that it can be delivered again.
func killRecord(client, n int) Record {
	c := &rating.Call{AccountRef: []string{"Northfield", "Tiny", "2", "3"}[(client+n)%4]}
	c.SetTime(rating.CDRTimeStart, time.Unix(killStart+int64(n*7), int64(client)*1e6).UTC())
	c.SetInt(rating.CDRDuration, int64(n%400))
	c.SetText(rating.CDRSource, "kill")
	c.SetText(rating.CDRCallID, fmt.Sprintf("%d/%d", client, n))
	c.SetText(rating.CDRDstPrefixRouting, []string{"442071838750", "441619876543", "800123456", "999"}[n%4])
	if n%3 == 0 {
		c.VendorRef = "Carrier"
	}
	return Record{Call: c, Source: "kill"}
}

// killAck is a line of a charging process: which record, what became of it.
type killAck struct {
	client, n int
	outcome   rating.Outcome
	id        uint64 // of the CDR, or of the held record
	price     rating.Money
}

func (a killAck) String() string {
	return fmt.Sprintf("%d %d %d %d %d", a.client, a.n, a.outcome, a.id, a.price)
}

func ackOf(client, n int, v rating.Verdict) killAck {
	id := uint64(v.ID)
	if v.Outcome == rating.OutcomeSuspended {
		id = v.Suspense
	}
	return killAck{client, n, v.Outcome, id, v.Price}
}

// chargeUntilKilled charges with killClients clients, beside payments, invoices and edits of the deck,
// and prints each acknowledged record. It ends by being killed.
func chargeUntilKilled(path string) error {
	ctx := context.Background()
	db, err := openStore(path)
	if err != nil {
		return err
	}
	q := NewIngest(db)
	failed := make(chan error)
	var out sync.Mutex
	say := func(line string) {
		out.Lock()
		defer out.Unlock()
		os.Stdout.WriteString(line + "\n") // one write a line: a killed process leaves no half of one but the last
	}
	for client := range killClients {
		from, err := strconv.Atoi(strings.Split(os.Getenv("BILLD_TEST_KILL_FROM"), ",")[client])
		if err != nil {
			return err
		}
		go func() {
			for n := from; ; {
				batch := []Record{killRecord(client, n)}
				for len(batch) < 1+n%3 {
					batch = append(batch, killRecord(client, n+len(batch)))
				}
				verdicts, err := q.Submit(ctx, batch)
				if err != nil {
					failed <- err
					return
				}
				for i, v := range verdicts {
					say(ackOf(client, n+i, v).String())
				}
				n += len(batch)
			}
		}()
	}
	go func() { failed <- disturb(ctx, db, say) }()
	return <-failed
}

// disturb pays, edits a rate, makes and refills invoices, over and over.
func disturb(ctx context.Context, db *DB, say func(string)) error {
	for n := 1; ; n++ {
		var paid uint64
		err := db.Update(ctx, func(tx *Tx) error {
			p := &Payment{Account: 2, Amount: rating.Money(n%5*1_000_000 + 1)}
			if err := tx.Pay(p); err != nil {
				return err
			}
			paid = p.ID
			r, err := tx.Rates.Get(uint64(1 + n%2))
			if err != nil {
				return err
			}
			r.Terms.Next.Price += 1_000
			return tx.Rates.Put(r)
		})
		if err != nil {
			return err
		}
		say(fmt.Sprintf("paid %d", paid))
		if err := invoiceSome(ctx, db, n); err != nil {
			return err
		}
	}
}

// invoiceSome makes an invoice for the next stretch of an account's calls, and refills the one before.
func invoiceSome(ctx context.Context, db *DB, n int) error {
	id := rating.AccountID(2 + n%3)
	var last, inv *rating.Invoice
	err := db.Update(ctx, func(tx *Tx) error {
		last, inv = nil, nil
		from := time.Unix(killStart, 0).UTC()
		err := tx.InvoicesOf(id, func(i *rating.Invoice) (bool, error) {
			last, from = i, i.End
			return true, nil
		})
		if err != nil {
			return err
		}
		a, err := tx.Accounts.Get(uint64(id))
		if err != nil {
			return err
		}
		inv, err = tx.CreateInvoice(a, rating.InvoiceAutoFull, rating.Period{Start: from, End: from.Add(10 * time.Minute)})
		return err
	})
	if err == nil {
		_, err = db.FillInvoice(ctx, inv.ID)
	}
	if err == nil && last != nil && last.State == rating.InvoicePending && n%4 == 0 {
		_, err = db.RefillInvoice(ctx, last.ID)
	}
	if err == nil && n%7 == 0 {
		err = db.Update(ctx, func(tx *Tx) error {
			_, err := tx.ApproveInvoice(inv.ID)
			return err
		})
	}
	if rating.KindOf(err) == rating.Conflict && err != nil {
		return nil // the process before was killed between the two steps
	}
	return err
}

// TestKillWhileCharging kills a charging process at random moments: every record that it acknowledged
// is there once with the figures that it said, what the clients deliver again is a duplicate or new,
// and check is clean. BILLD_KILL_ROUNDS=1000 is the long run.
func TestKillWhileCharging(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "billd.db")
	setUpKillStore(t, path)
	k := &killed{t: t, path: path, acked: map[[2]int]killAck{}, next: make([]int, killClients)}
	for range killRounds(t) {
		k.round(1+random.IntN(300), time.Duration(random.IntN(4000))*time.Microsecond)
	}
	for _, a := range k.acked {
		k.fresh = append(k.fresh, a) // all of them once more
	}
	k.verify()
	if len(k.acked) == 0 || k.paid == 0 {
		t.Errorf("%d calls and payment %d acknowledged, want some", len(k.acked), k.paid)
	}
	t.Logf("%d calls acknowledged, %d delivered again as duplicates, %d payments", len(k.acked), k.again, k.paid)
}

func setUpKillStore(t *testing.T, path string) {
	t.Helper()
	db, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	clock := testClock
	s := &sampleStore{DB: db, t: t, clock: &clock}
	s.update(s.accounts)
	s.update(s.rates)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// killed is what the clients of all rounds know.
type killed struct {
	t     *testing.T
	path  string
	acked map[[2]int]killAck
	next  []int // per client: the first record that nobody acknowledged
	paid  uint64
	again int       // duplicates among what was delivered again
	fresh []killAck // acknowledged since the last look
}

// round lets a process acknowledge some lines, kills it a moment later and looks at what it left.
func (k *killed) round(lines int, later time.Duration) {
	k.t.Helper()
	from := make([]string, killClients)
	for i, n := range k.next {
		from[i] = strconv.Itoa(n)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killStore+"="+k.path, "BILLD_TEST_KILL_FROM="+strings.Join(from, ","))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break // a line that the kill cut is no acknowledgement
		}
		k.heard(strings.TrimSuffix(line, "\n"))
		if lines--; lines == 0 {
			defer time.AfterFunc(later, func() { cmd.Process.Kill() }).Stop()
		}
	}
	if cmd.Wait(); lines > 0 {
		k.t.Fatal("the charging process ended by itself")
	}
	k.verify()
}

func (k *killed) heard(line string) {
	var a killAck
	if _, err := fmt.Sscanf(line, "paid %d", &a.id); err == nil {
		k.paid = max(k.paid, a.id)
		return
	}
	if _, err := fmt.Sscanf(line, "%d %d %d %d %d", &a.client, &a.n, &a.outcome, &a.id, &a.price); err != nil {
		k.t.Fatalf("line %q: %v", line, err)
	}
	if was, ok := k.acked[[2]int{a.client, a.n}]; ok {
		k.t.Fatalf("record %v was acknowledged twice: %v", was, a)
	}
	k.acked[[2]int{a.client, a.n}] = a
	k.fresh = append(k.fresh, a)
	k.next[a.client] = max(k.next[a.client], a.n+1)
}

func (k *killed) verify() {
	k.t.Helper()
	db, err := openStore(k.path)
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	clean(k.t, db)
	k.sameAgain(db)
	k.fresh = nil
	for client, n := range k.next {
		// what was under way when the process was killed: stored or not, it ends up there once
		for i, v := range k.deliver(db, killRecord(client, n), killRecord(client, n+1), killRecord(client, n+2)) {
			if v.Outcome == rating.OutcomeDuplicate {
				k.again++
			}
			a := ackOf(client, n+i, v)
			if a.outcome == rating.OutcomeDuplicate { // as it was before the kill
				a.outcome = rating.OutcomeRated
			}
			k.acked[[2]int{client, n + i}] = a
		}
		k.next[client] = n + 3
	}
	err = db.View(context.Background(), func(tx *Tx) error {
		if stored := kv.CountKeys(tx.Txn, bCDRCall); stored != len(k.acked) {
			k.t.Errorf("%d records are stored, want %d", stored, len(k.acked))
		}
		if k.paid != 0 && !tx.Payments.Has(k.paid) {
			k.t.Errorf("payment %d was acknowledged and is gone", k.paid)
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// sameAgain delivers the newly acknowledged records again and compares the answers with the first ones.
func (k *killed) sameAgain(db *DB) {
	k.t.Helper()
	var records []Record
	acks := k.fresh
	for _, a := range acks {
		records = append(records, killRecord(a.client, a.n))
	}
	for i, v := range k.deliver(db, records...) {
		want := acks[i]
		if want.outcome != rating.OutcomeSuspended {
			want.outcome = rating.OutcomeDuplicate
		}
		if got := ackOf(want.client, want.n, v); got != want {
			k.t.Errorf("record %v again = %v (%s), want %v", acks[i], got, v.Detail, want)
		}
	}
}

func (k *killed) deliver(db *DB, records ...Record) []rating.Verdict {
	k.t.Helper()
	v, err := db.ChargeNow(context.Background(), records)
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}
