package ops

import (
	"strings"
	"testing"
)

func TestAnOperatorsNetworksAreSet(t *testing.T) {
	s := newStation(t)
	s.run(ExitOK, "admin-create", `{"login":"anna"}`, "correct horse\n")
	for _, tt := range []struct {
		name, args string
		exit       int
		out, list  string
	}{
		{"at first", "", ExitOK, "", "anywhere"},
		{"some", `{"login":"anna","networks":["10.0.0.0/8","::1"]}`, ExitOK, "operator anna may act from 10.0.0.0/8, ::1\n", "10.0.0.0/8, ::1"},
		{"one that is none", `{"login":"anna","networks":["10.0.0.300"]}`, ExitFailed, "", "10.0.0.0/8, ::1"},
		{"too many", `{"login":"anna","networks":["::1"` + strings.Repeat(`,"::1"`, maxOperatorNetworks) + `]}`, ExitFailed, "", "10.0.0.0/8, ::1"},
		{"nobody", `{"login":"otto"}`, ExitFailed, "", "10.0.0.0/8, ::1"},
		{"none", `{"login":"anna"}`, ExitOK, "operator anna may act from anywhere\n", "anywhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.args != "" {
				if got := s.run(tt.exit, "admin-allow", tt.args, ""); got != tt.out {
					t.Errorf("out = %q, want %q", got, tt.out)
				}
			}
			if got := s.run(ExitOK, "admin-list", `{}`, ""); !strings.HasSuffix(strings.TrimSpace(got), tt.list) {
				t.Errorf("list = %q, want it to end in %q", got, tt.list)
			}
		})
	}
}
