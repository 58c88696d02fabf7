package storage

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTheNarrowestNetworkIsTheSender(t *testing.T) {
	r := openTest(t)
	mustUpdate(t, r, func(tx *Tx) error {
		for _, n := range []NAS{{Name: "all", Network: "192.0.2.7/24"}, {Name: "one", Network: "192.0.2.9"}, {Name: "six", Network: "2001:db8::/32"}} {
			n.Secret = "testing123"
			if err := tx.SaveNAS(&n); err != nil {
				return err
			}
		}
		return nil
	})
	find := func(from string) string {
		t.Helper()
		n, err := r.NASAt(t.Context(), netip.MustParseAddr(from))
		if err != nil {
			t.Fatal(err)
		}
		if n == nil {
			return "nobody"
		}
		return n.Name
	}
	for from, want := range map[string]string{"192.0.2.9": "one", "::ffff:192.0.2.9": "one", "192.0.2.8": "all", "192.0.3.8": "nobody", "2001:db8::1": "six"} {
		if got := find(from); got != want {
			t.Errorf("NASAt(%s) = %s, want %s", from, got, want)
		}
	}
	mustUpdate(t, r, func(tx *Tx) error { // and at once when that changes
		n, err := tx.NASNamed("one")
		if err != nil {
			return err
		}
		return tx.NAS.Delete(n.ID)
	})
	if got := find("192.0.2.9"); got != "all" {
		t.Errorf("after the delete NASAt = %s, want all", got)
	}
}

func TestANASThatCannotBeIsRefused(t *testing.T) {
	r := openTest(t)
	good := NAS{Name: "gw", Network: "192.0.2.1", Secret: "testing123"}
	for _, tt := range []struct {
		name   string
		change func(*NAS)
		want   string
	}{
		{"a blank in the name", func(n *NAS) { n.Name = "g w" }, `name "g w": want 1 to 64 characters, no blank and no slash`},
		{"no network", func(n *NAS) { n.Network = "gw.example" }, `network "gw.example": want an address such as 192.0.2.1, or a network such as 192.0.2.0/24`},
		{"a short secret", func(n *NAS) { n.Secret = "x" }, "the secret has 1 characters: want 6 to 128"},
		{"two who pay", func(n *NAS) { n.Rules, n.Account = true, "acme" }, "an account and rules cannot both say who pays"},
		{"no zone", func(n *NAS) { n.Zone = "Local" }, `zone "Local": want the name of a time zone, such as Europe/Berlin`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := good
			tt.change(&n)
			if err := r.Update(t.Context(), func(tx *Tx) error { return tx.SaveNAS(&n) }); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	mustUpdate(t, r, func(tx *Tx) error { return tx.SaveNAS(&good) })
	var trail string
	mustUpdate(t, r, func(tx *Tx) error {
		return tx.Audit.Each(0, func(e *AuditEntry) (bool, error) {
			if e.Table == "nas" {
				trail = string(e.New)
			}
			return true, nil
		})
	})
	if want := `"secret":"(secret)"`; trail == "" || !strings.Contains(trail, want) {
		t.Errorf("the audit trail has %s, want %s in it", trail, want)
	}
}
