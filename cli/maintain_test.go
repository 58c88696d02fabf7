package cli

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"billd/server/control"
	"billd/server/ops"
)

// real runs billd's own commands in this process.
func real(_ *testing.T, in string, args ...string) ended {
	var out, errw bytes.Buffer
	a := newApp(strings.NewReader(in), &out, &errw)
	exit := a.main(a.root(), args)
	return ended{exit, out.String(), errw.String()}
}

// serveReal is serve with billd's own commands.
func serveReal(t *testing.T, dir string) {
	t.Helper()
	env := &ops.Env{DB: hold(t, dir), Dir: dir, Version: version(), Log: slog.New(slog.DiscardHandler)}
	s, err := control.Listen(control.Options{Env: env, Commands: ops.Commands()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Shutdown(context.Background())
		<-done
	})
}

func TestTheStoreIsKeptThroughBothDoors(t *testing.T) {
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	hold(t, dirs["direct"]).Close()
	serveReal(t, dirs["server"])
	for door, dir := range dirs {
		t.Run(door, func(t *testing.T) {
			if got, want := real(t, "", "check", "--deep", "--dir", dir), (ended{0, "the store is sound\n", ""}); got != want {
				t.Errorf("billd check: %v, want %v", got, want)
			}
			file := filepath.Join(t.TempDir(), "backup.db")
			if got := real(t, "", "backup", file, "--dir", dir); got.exit != 0 || !strings.HasPrefix(got.out, file+": ") {
				t.Errorf("billd backup FILE: %v, want its name and size", got)
			}
			piped := real(t, "", "backup", "-", "--dir", dir)
			if at, err := os.Stat(file); err != nil || piped.exit != 0 || int64(len(piped.out)) != at.Size() {
				t.Errorf("billd backup -: exit %d, %d bytes, want as many as the file: %v", piped.exit, len(piped.out), err)
			}
			if got := real(t, "", "compact", "--dir", dir); got.exit != 0 || !strings.HasPrefix(got.out, "billd.db: ") {
				t.Errorf("billd compact: %v, want the sizes", got)
			}
			fresh := filepath.Join(t.TempDir(), "fresh")
			if got := real(t, piped.out, "restore", "-", "--dir", fresh); got.exit != 0 || !strings.HasPrefix(got.out, "restored ") {
				t.Errorf("billd restore -: %v, want it restored", got)
			}
			if got := real(t, "", "check", "--dir", fresh); got.exit != 0 {
				t.Errorf("billd check of the restored store: %v", got)
			}
			if got := real(t, "", "restore", file, "--dir", fresh); got.exit != 0 || !strings.Contains(got.out, "the store before is kept as billd.db.before-restore-") {
				t.Errorf("billd restore: %v, want the old store kept", got)
			}
		})
	}
}

func TestRestoreIsRefused(t *testing.T) {
	served, held, free := t.TempDir(), t.TempDir(), t.TempDir()
	serveReal(t, served)
	hold(t, held)
	text := filepath.Join(t.TempDir(), "deck.csv")
	if err := os.WriteFile(text, []byte("44,0.01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file, dir string
		want            ended
	}{
		{"while a server runs", text, served, ended{1, "", "billd: a server is running on " + served + ": stop it, then restore\n"}},
		{"while somebody holds the store in silence", text, held, ended{11, "", "billd: billd.db: held by another process, and nobody answers at billd.sock\n"}},
		{"from a file that is no backup", text, free, ended{1, "", "billd: " + text + ": not a backup of a store: file is not a store, or its first pages are destroyed\n"}},
		{"from a file that is not there", "/nonexistent.db", free, ended{1, "", "billd: /nonexistent.db: no such file or directory\n"}},
		{"from a directory", free, free, ended{1, "", "billd: " + free + ": a directory, want a file\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := real(t, "", "restore", tt.file, "--dir", tt.dir); got != tt.want {
				t.Errorf("billd restore: %v, want %v", got, tt.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(free, ops.StoreName)); err == nil {
		t.Error("a refused restore made a store")
	}
}
