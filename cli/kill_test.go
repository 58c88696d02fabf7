package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

const killConnections = 4 // clients that post calls at once

// killed is a server that is killed over and over, and what its clients were told.
type killed struct {
	t     *testing.T
	bin   string
	dir   string
	token string

	mu      sync.Mutex
	acked   map[int]killItem // by the record's number
	sent    int              // records handed out, numbered from 0
	unheard int              // stored, but the server was killed before it said so
}

// killItem is what POST /api/v1/cdrs says of one record.
type killItem struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Price  string `json:"price"` // "" for null
}

// TestKillTheServer posts calls to the real binary over four connections and kills it at random
// moments. What it acknowledged is there once after the next start, with the same number and price, and
// `billd check` is clean. BILLD_KILL_ROUNDS says how often; 3 without it, 10 where CI is set.
func TestKillTheServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it several times")
	}
	rounds := 3
	if os.Getenv("CI") != "" {
		rounds = 10
	}
	if n, err := strconv.Atoi(os.Getenv("BILLD_KILL_ROUNDS")); err == nil && n > 0 {
		rounds = n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	k := &killed{t: t, bin: buildBilld(t), dir: t.TempDir(), acked: map[int]killItem{}}
	k.setUp()
	for range rounds {
		k.round(1+random.IntN(400), time.Duration(random.IntN(5000))*time.Microsecond)
	}
	k.finish()
}

// buildBilld builds the binary that a user has.
func buildBilld(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "billd")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "billd").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return bin
}

// setUp makes a store with an account and a rate.
func (k *killed) setUp() {
	k.t.Helper()
	db := hold(k.t, k.dir)
	err := db.Update(k.t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "Northfield", Contractor: 1, VAT: 19_000_000}); err != nil {
			return err
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44",
			Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 12_345_678}, Next: rating.Step{Seconds: 6, Price: 12_345_678}}})
	})
	if err != nil {
		k.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		k.t.Fatal(err)
	}
}

// start runs the server and returns it with its URL.
func (k *killed) start() (*exec.Cmd, string) {
	k.t.Helper()
	cmd := exec.CommandContext(k.t.Context(), k.bin, "serve", "--dir", k.dir, "--http", "127.0.0.1:0", "--log-level", "error")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "URL "); ok {
			go io.Copy(io.Discard, out)
			return cmd, strings.TrimSpace(url)
		}
	}
	cmd.Wait()
	k.t.Fatal("the server ended without saying its URL")
	return nil, ""
}

// billd runs a command of the binary beside the server.
func (k *killed) billd(args ...string) string {
	k.t.Helper()
	out, err := exec.CommandContext(k.t.Context(), k.bin, append(args, "--dir", k.dir)...).CombinedOutput()
	if err != nil {
		k.t.Fatalf("billd %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// killCall is record n as a switch sends it: every fifth has no rate and is held.
func killCall(n int) string {
	dst := "442071838750"
	if n%5 == 4 {
		dst = "999"
	}
	at := time.Unix(1_763_640_000+int64(n), 0).UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"call_id":"call %d","account":"Northfield","dst":%q,"time_start":%q,"duration":%d}`, n, dst, at, n%300)
}

// post delivers records and returns their items, an error when the server is gone.
func (k *killed) post(client *http.Client, url string, numbers []int) ([]killItem, error) {
	calls := make([]string, len(numbers))
	for i, n := range numbers {
		calls[i] = killCall(n)
	}
	req, err := http.NewRequest(http.MethodPost, url+"/api/v1/cdrs", strings.NewReader("["+strings.Join(calls, ",")+"]"))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answer struct{ Items []killItem }
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK || len(answer.Items) != len(numbers) {
		k.t.Errorf("POST /api/v1/cdrs = %s, %.300s, want an item per record", resp.Status, body)
		return nil, io.ErrUnexpectedEOF
	}
	return answer.Items, nil
}

// round delivers again what is known, then new calls until some are acknowledged, and kills the server.
func (k *killed) round(acks int, later time.Duration) {
	k.t.Helper()
	cmd, url := k.start()
	k.token = k.billd("token", "native")
	k.again(url)
	if got := k.billd("check"); got != "the store is sound" {
		k.t.Errorf("billd check = %q", got)
	}
	var clients sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(acks))
	for range killConnections {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			for {
				numbers := k.take()
				items, err := k.post(client, url, numbers)
				if err != nil {
					return // the server was killed: these were stored or not
				}
				k.heard(numbers, items)
				if now := left.Add(-int64(len(items))); now <= 0 && now > -int64(len(items)) {
					time.AfterFunc(later, func() { cmd.Process.Kill() })
				}
			}
		})
	}
	clients.Wait()
	if cmd.Wait(); left.Load() > 0 {
		k.t.Fatal("the server ended by itself")
	}
}

// take hands out the next one to three records.
func (k *killed) take() (numbers []int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range 1 + k.sent%3 {
		numbers = append(numbers, k.sent)
		k.sent++
	}
	return numbers
}

func (k *killed) heard(numbers []int, items []killItem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, n := range numbers {
		k.acked[n] = items[i]
	}
}

// again delivers every record once more: acknowledged ones are answered as before, the others are
// charged now if they were not.
func (k *killed) again(url string) {
	k.t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	const most = 2000 // records a request
	for from := 0; from < k.sent; from += most {
		var numbers []int
		for n := from; n < min(from+most, k.sent); n++ {
			numbers = append(numbers, n)
		}
		items, err := k.post(client, url, numbers)
		if err != nil {
			k.t.Fatal(err)
		}
		for i, n := range numbers {
			k.same(n, items[i])
		}
	}
}

// same compares a record's answer with what was acknowledged before, if it was.
func (k *killed) same(n int, got killItem) {
	k.t.Helper()
	want, known := k.acked[n]
	switch {
	case !known && got.Status == "duplicate":
		k.unheard++ // stored, and the answer was lost
	case known && want.Status != "suspended":
		want.Status = "duplicate"
	}
	if known && got != want {
		k.t.Errorf("record %d again = %+v, want %+v", n, got, want)
	}
	k.acked[n] = got
}

// finish looks at all there is, through a server and in the store itself.
func (k *killed) finish() {
	k.t.Helper()
	cmd, url := k.start()
	k.again(url)
	k.billd("check", "--deep")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		k.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		k.t.Errorf("billd serve after SIGTERM: %v, want exit 0", err)
	}
	stored := 0
	err := hold(k.t, k.dir).View(k.t.Context(), func(tx *storage.Tx) error {
		stored = tx.Suspense.Count()
		return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
			stored++
			return true, nil
		})
	})
	if err != nil || stored != k.sent {
		k.t.Errorf("%d records are stored, %v, want %d", stored, err, k.sent)
	}
	k.t.Logf("%d records, %d of them stored without having been acknowledged", k.sent, k.unheard)
}
