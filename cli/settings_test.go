package cli

import (
	"strings"
	"testing"
)

func TestSettingsAreListedReadAndSet(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		args string
		exit int
		want string // part of what is printed
	}{
		{"settings set rounding.duration down", 0, "down\n"},
		{"settings list", 0, "rounding.customer.mode       none"},
		{"settings set rounding.customer.mode half-away", 0, "half-away\n"},
		{"settings get rounding.customer.mode", 0, "half-away\n"},
		{"settings get rounding.customer.mode --json", 0, `"value": "half-away"`},
		{"settings set rounding.customer.precision 4", 0, "4\n"},
		{"settings set rounding.customer.precision 11", 1, `rounding.customer.precision "11": want 0 to 10`},
		{"settings get nothing", 1, `setting "nothing" does not exist`},
		{"settings set topup.self_service", 2, "want NAME VALUE"},
		{"settings", 2, "want one of list, get, set"},
		{"check", 0, ""},
	} {
		t.Run(step.args, func(t *testing.T) {
			var out, errw strings.Builder
			exit := Main(append(strings.Fields(step.args), "--dir", dir), strings.NewReader(""), &out, &errw)
			if exit != step.exit || !strings.Contains(out.String()+errw.String(), step.want) {
				t.Errorf("exit %d, %q and %q, want %d and %q", exit, out.String(), errw.String(), step.exit, step.want)
			}
		})
	}
}
