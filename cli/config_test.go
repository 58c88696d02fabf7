package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

// newShow prints its settings, and the flag that is none.
func newShow(a *app) *cobra.Command {
	var (
		http string
		idle time.Duration
		nets []string
		once string
	)
	cmd := &cobra.Command{Use: "show", Args: want(), RunE: func(*cobra.Command, []string) error {
		_, err := fmt.Fprintf(a.out, "%s %s %v %q", http, idle, nets, once)
		return err
	}}
	flags := cmd.Flags()
	flags.StringVar(&http, "http", "default", "")
	flags.DurationVar(&idle, "idle-timeout", time.Minute, "")
	flags.StringSliceVar(&nets, "nets", nil, "")
	flags.StringVar(&once, "once", "", "")
	setting(flags, "http", "idle-timeout", "nets")
	return cmd
}

func TestSettingsComeFromFlagThenEnvThenFileThenDefault(t *testing.T) {
	dir, etc, other := t.TempDir(), filepath.Join(t.TempDir(), "billd.toml"), filepath.Join(t.TempDir(), "other.toml")
	secret := filepath.Join(t.TempDir(), "secret")
	own := filepath.Join(dir, configName)
	for _, tt := range []struct {
		name  string
		files map[string]string
		env   map[string]string
		args  []string
		exit  int
		want  string
	}{
		{"nothing: the default", nil, nil, nil, 0, `default 1m0s [] ""`},
		{"a file beats the default", map[string]string{own: "http = 'file'"}, nil, nil, 0, `file 1m0s [] ""`},
		{"the environment beats the file", map[string]string{own: "http = 'file'"}, map[string]string{"BILLD_HTTP": "env"}, nil, 0, `env 1m0s [] ""`},
		{"a flag beats the environment", map[string]string{own: "http = 'file'"}, map[string]string{"BILLD_HTTP": "env"}, []string{"--http", "flag"}, 0, `flag 1m0s [] ""`},
		{"an empty variable is a value", map[string]string{own: "http = 'file'"}, map[string]string{"BILLD_HTTP": ""}, nil, 0, ` 1m0s [] ""`},
		{"dashes are underscores in the environment", nil, map[string]string{"BILLD_IDLE_TIMEOUT": "2s"}, nil, 0, `default 2s [] ""`},
		{"dashes and underscores are the same in the file", map[string]string{own: "idle_timeout = '2s'"}, nil, nil, 0, `default 2s [] ""`},
		{"but not twice", map[string]string{own: "idle_timeout = '2s'\nidle-timeout = '3s'"}, nil, nil, 2, own + ": line 1: idle_timeout: given twice, with a dash and with an underscore"},
		{"a list", map[string]string{own: "nets = ['a', 'b']"}, nil, nil, 0, `default 1m0s [a b] ""`},
		{"a list in the environment", nil, map[string]string{"BILLD_NETS": "a,b"}, nil, 0, `default 1m0s [a b] ""`},
		{"the data directory's file beats the machine's", map[string]string{own: "http = 'own'", etc: "http = 'etc'"}, nil, nil, 0, `own 1m0s [] ""`},
		{"the machine's file, without one of its own", map[string]string{etc: "http = 'etc'"}, nil, nil, 0, `etc 1m0s [] ""`},
		{"a named file beats both", map[string]string{own: "http = 'own'", other: "http = 'other'"}, nil, []string{"--config", other}, 0, `other 1m0s [] ""`},
		{"which the environment may name", map[string]string{other: "http = 'other'"}, map[string]string{"BILLD_CONFIG": other}, nil, 0, `other 1m0s [] ""`},
		{"a named file must be there", nil, nil, []string{"--config", "/nonexistent.toml"}, 2, "/nonexistent.toml: no such file or directory"},
		{"a secret in a file", map[string]string{secret: "hush\n"}, map[string]string{"BILLD_HTTP_FILE": secret}, nil, 0, `hush 1m0s [] ""`},
		{"a secret twice", map[string]string{secret: "hush\n"}, map[string]string{"BILLD_HTTP_FILE": secret, "BILLD_HTTP": "x"}, nil, 2, "BILLD_HTTP and BILLD_HTTP_FILE: both are set, want one"},
		{"a flag that is no setting stays out of the environment", nil, map[string]string{"BILLD_ONCE": "x"}, nil, 0, `default 1m0s [] ""`},
		{"and out of the file", map[string]string{own: "\nonce = 'x'"}, nil, nil, 2, own + ": line 2: once: unknown key"},
		{"an unknown key has its line", map[string]string{own: "# billd\nhttp = 'x'\n\nhtpp = 'y'\n"}, nil, nil, 2, own + ": line 4: htpp: unknown key"},
		{"a table is no key", map[string]string{own: "\n[http]\nport = 1\n"}, nil, nil, 2, own + ": line 2: http: map[port:1], want text, a whole number, true or false"},
		{"a bad value has its line", map[string]string{own: "\nidle-timeout = 'soon'"}, nil, nil, 2, own + `: line 2: idle-timeout: "soon", want duration`},
		{"a bad variable has its name", nil, map[string]string{"BILLD_IDLE_TIMEOUT": "soon"}, nil, 2, `BILLD_IDLE_TIMEOUT: "soon", want duration`},
		{"bad syntax has its line", map[string]string{own: "http = 'x'\nhttp\n"}, nil, nil, 2, own + ": line 2: expected '.' or '=', but got '\\n' instead"},
		{"the directory's own file cannot move it", map[string]string{own: "dir = '/elsewhere'"}, nil, nil, 2, own + ": line 1: dir: this file is read from the data directory, so it cannot name another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("BILLD_DIR", dir)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			for path, text := range tt.files {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(path)
			}
			var out, errw bytes.Buffer
			a := newApp(strings.NewReader(""), &out, &errw)
			a.etc = etc
			exit := a.main(a.root(newShow(a)), append([]string{"show"}, tt.args...))
			want := ended{tt.exit, tt.want, ""}
			if tt.exit != 0 {
				want = ended{tt.exit, "", ops.ErrorLine(fmt.Errorf("%s; see 'billd show --help'", tt.want))}
			}
			if got := (ended{exit, out.String(), errw.String()}); got != want {
				t.Errorf("billd show %v: %v, want %v", tt.args, got, want)
			}
		})
	}
}

func TestTheMachinesFileNamesTheDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	etc := filepath.Join(t.TempDir(), "billd.toml")
	if err := os.WriteFile(etc, []byte("dir = '/elsewhere'"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.etc = etc
	if exit := a.main(a.root(newShow(a)), []string{"show"}); exit != 0 || a.dir != "/elsewhere" {
		t.Errorf("exit %d, dir %s, want 0, /elsewhere", exit, a.dir)
	}
}

func TestABrokenFileStopsOnlyWhatHasSettings(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte("= what"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		exit int
	}{
		{nil, 0}, {[]string{"--help"}, 0}, {[]string{"version"}, 0}, {[]string{"help"}, 0}, {[]string{"help", "suspense", "list"}, 0},
		{[]string{"completion", "bash"}, 0}, {[]string{"routes"}, 0}, {[]string{cobra.ShellCompRequestCmd, "sus"}, 0},
		{[]string{"suspense", "list"}, 2}, {[]string{"serve"}, 2},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			a := newApp(strings.NewReader(""), &out, io.Discard)
			if exit := a.main(a.root(), append(tt.args, "--dir", dir)); exit != tt.exit || exit == 0 && out.Len() == 0 {
				t.Errorf("billd %v: exit %d with %d bytes, want %d", tt.args, exit, out.Len(), tt.exit)
			}
		})
	}
}
