package cli

import (
	"regexp"
	"strings"
	"testing"
)

func TestSwitchesAreGivenKeys(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		args string
		exit int
		want string // a pattern of what is printed
	}{
		{"switch add fs1 --from 192.0.2.7/24", 0, `^[\w-]+\.[\w-]+\.[\w-]+\n$`},
		{"switch add fs1", 1, "switch: this name is already taken"},
		{"switch add gw2 --ttl 1h --json", 0, `^\{\n? *"name": ?"gw2",\n? *"key": ?"[\w.-]+",\n? *"expires_at": ?"20`},
		{"switch add gw3 --ttl 1ms", 2, "--ttl: want 1s or more"},
		{"switch add gw3 --ttl 100000h", 1, "a key lives 1 to 316224000 seconds"},
		{"switch list", 0, `fs1   192\.0\.2\.0/24  20\d\d-\d\d-\d\d  0         never  0\n(?s:.*)the key of gw2 ends on 20.*: billd switch renew gw2 makes another`},
		{"switch set fs1 --anywhere", 0, "switch fs1 may show its key from anywhere"},
		{"switch set fs1 --from somewhere", 1, `network "somewhere": want an address`},
		{"switch set fs1", 2, "want --from NETWORK, once or more, or --anywhere"},
		{"switch renew fs1", 0, `^[\w-]+\.[\w-]+\.[\w-]+\n$`},
		{"switch renew fs9", 1, "switch fs9 does not exist"},
		{"switch delete gw2", 0, "gw2"},
		{"switch delete gw2", 1, "switch gw2 does not exist"},
		{"switch", 2, "want one of add, list, set, renew, delete"},
		{"check", 0, ""},
	} {
		t.Run(step.args, func(t *testing.T) {
			var out, errw strings.Builder
			exit := Main(append(strings.Fields(step.args), "--dir", dir), strings.NewReader(""), &out, &errw)
			if said := out.String() + errw.String(); exit != step.exit || !regexp.MustCompile(step.want).MatchString(said) {
				t.Errorf("exit %d, %q, want %d and %s", exit, said, step.exit, step.want)
			}
		})
	}
}
