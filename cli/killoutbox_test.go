package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"billd/server/mailtest"
	"billd/storage"
)

// TestKilledWhileSendingSendsAgain kills the real binary while a web server has a request and has not
// answered. After the next start the same request comes again under the same key, and an e-mail that
// waited beside it has arrived: what is in the outbox is sent at least once.
func TestKilledWhileSendingSendsAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it")
	}
	keys, answer := make(chan string, 10), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		select {
		case <-answer:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(web.Close)
	mail := mailtest.Start(t, nil)
	k := &killed{t: t, bin: buildBilld(t), dir: t.TempDir()}
	uuids := k.queue(&storage.SMTPConnection{ID: 1, Name: "out", Host: mail.Host, Port: int64(mail.Port), From: "billing@example.org", Global: true},
		&storage.Message{Key: "hook", Event: "test", Hook: &storage.Hook{URL: web.URL, Method: "POST", Body: []byte(`{"a":1}`)}},
		&storage.Message{Key: "mail", Event: "test", Mail: &storage.Mail{To: "anna@example.net", Subject: "s", Text: "text\n"}})

	cmd, _ := k.start()
	if key := heardWithin(t, keys); key != uuids[0] {
		t.Errorf("Idempotency-Key = %q, want %s", key, uuids[0])
	}
	cmd.Process.Kill()
	cmd.Wait()
	close(answer)

	cmd, _ = k.start()
	k.billd("outbox", "retry", "--state", "waiting") // now, not in a minute
	if key := heardWithin(t, keys); key != uuids[0] {
		t.Errorf("Idempotency-Key after the kill = %q, want %s", key, uuids[0])
	}
	for end := time.Now().Add(30 * time.Second); len(mail.Letters()) == 0 || !strings.Contains(k.billd("outbox", "list", "--state", "sent"), web.URL); {
		if time.Now().After(end) {
			t.Fatalf("%d letters arrived; messages:\n%s", len(mail.Letters()), k.billd("outbox", "list"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, l := range mail.Letters() {
		if !strings.Contains(l.Data, "Message-ID: <"+uuids[1]+"@example.org>") {
			t.Errorf("letter %q, want Message-ID %s", l.Data, uuids[1])
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("billd serve after SIGTERM: %v, want exit 0", err)
	}
	err := hold(t, k.dir).View(t.Context(), func(tx *storage.Tx) error {
		if n := tx.MessageCounts(); n[storage.MessageSent] != 2 {
			t.Errorf("messages by state = %v, want two sent", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// queue puts messages and a mail server into a store that nobody serves, and returns the messages' UUIDs.
func (k *killed) queue(server *storage.SMTPConnection, list ...*storage.Message) (uuids []string) {
	k.t.Helper()
	db := hold(k.t, k.dir)
	err := db.Update(k.t.Context(), func(tx *storage.Tx) error {
		uuids = nil
		for _, m := range list {
			if err := tx.Queue(m); err != nil {
				return err
			}
			uuids = append(uuids, m.UUID.String())
		}
		return tx.SMTPConnections.Put(server)
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return uuids
}

func heardWithin(t *testing.T, said <-chan string) string {
	t.Helper()
	select {
	case s := <-said:
		return s
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived within 30 s")
		return ""
	}
}
