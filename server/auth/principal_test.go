package auth

import (
	"testing"
)

func TestPrincipalsReadAsOneLine(t *testing.T) {
	for want, p := range map[string]Principal{
		"admin operator 3 anna": {Surface: Admin, Kind: KindOperator, ID: 3, Name: "anna"},
		"peer 1000":             {Kind: KindPeer, ID: 1000},
		"kazoo kazoo-user b2":   {Surface: Kazoo, Kind: KindKazooUser, UUID: "b2"},
	} {
		if got := p.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}
