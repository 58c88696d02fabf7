package cli

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTheBinaryKnowsZones: a machine without zone files has the same hours.
func TestTheBinaryKnowsZones(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command to list imports")
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "billd").Output()
	if err != nil || !strings.Contains(string(out), "\ntime/tzdata\n") {
		t.Errorf("go list: %v, want time/tzdata in the binary", err)
	}
}
