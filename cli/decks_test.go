package cli

import (
	"strings"
	"testing"
)

// deckRun runs a command on a store and fails the test unless it exits as wanted.
func deckRun(t *testing.T, dir string, exit int, in string, args ...string) ended {
	t.Helper()
	got := run(in, append(args, "--dir", dir)...)
	if got.exit != exit {
		t.Fatalf("billd %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got.exit, exit, got.out, got.errw)
	}
	return got
}

func TestADeckGoesOutInEveryFormAndComesBack(t *testing.T) {
	const list = "prefix,name,price,connect fee,increment,valid till\n44,UK,0.012,0.5,60/6,\n4420,\"London, all\",0.01999,0,1/1,\n49,Germany,1.5,0,60/60,2040-01-01\n1,USA,0.00001,0,6/6,\n"
	dir := t.TempDir()
	deckRun(t, dir, 0, list, "import-rates", "-")
	plain := deckRun(t, dir, 0, "", "export-rates", "--format", "plain").out
	if strings.Count(plain, "\n") != 5 {
		t.Fatalf("plain export:\n%s", plain)
	}
	for form, dated := range map[string]bool{"csv": true, "json": true, "yeti": true, "plain": true, "kazoo": false, "portsip": false} {
		t.Run(form, func(t *testing.T) {
			file := deckRun(t, dir, 0, "", "export-rates", "--format", form).out
			deckRun(t, dir, 0, file, "import-rates", "-", "--deck", form)
			back := deckRun(t, dir, 0, "", "export-rates", "--deck", form, "--format", "plain").out
			want := plain
			if !dated {
				want = strings.Replace(want, "2040-01-01T00:00:00Z", "", 1)
			}
			if form == "yeti" { // its destinations have no names
				want = strings.NewReplacer(",UK,", ",,", ",\"London, all\",", ",,", ",Germany,", ",,", ",USA,", ",,").Replace(want)
			}
			if back != want {
				t.Errorf("came back as\n%s\nwant\n%s", back, want)
			}
		})
	}
	deckRun(t, dir, 0, "prefix,price,min cost\n7,0.1,0.2\n8,0.1,\n", "import-rates", "-", "--deck", "odd")
	got := deckRun(t, dir, 3, "", "export-rates", "--deck", "odd", "--format", "kazoo")
	if strings.Contains(got.out, "\n7,") || !strings.Contains(got.out, "\n8,") || !strings.Contains(got.errw, "prefix 7, is left out: kazoo rates cannot say the least cost 0.2") {
		t.Errorf("a rate that the form cannot say: %q, %q", got.out, got.errw)
	}
	deckRun(t, dir, 0, "", "check")
}

func TestACarriersProfileAndTheUndoOfItsList(t *testing.T) {
	dir := t.TempDir()
	deckRun(t, dir, 0, "", "import-profile", "save", "acme", "--deck", "acme", "--mode", "merge", "--strip", "011", "--dates", "dmy", "--increment", "60/1", "--map", "Dest No=prefix")
	if got := deckRun(t, dir, 0, "", "import-profile", "show", "acme").out; !strings.Contains(got, "Dest No=prefix") || !strings.Contains(got, "dmy") {
		t.Errorf("show: %s", got)
	}
	deckRun(t, dir, 0, "Dest No,Rate,Effective\n01144,0.1,03/02/2020\n01149,0.2,\n", "import-rates", "-", "--profile", "acme")
	before := deckRun(t, dir, 0, "", "export-rates", "--deck", "acme").out
	if !strings.Contains(before, ",44,,0.1,0.1,0.0,60,1,") {
		t.Errorf("the profile was not obeyed:\n%s", before)
	}
	deckRun(t, dir, 0, "Dest No,Rate\n01144,0.3\n01133,0.4\n", "import-rates", "-", "--profile", "acme")
	if got := deckRun(t, dir, 0, "", "undo-import", "--deck", "acme", "--dry-run").out; !strings.Contains(got, "dry run: nothing was changed") {
		t.Errorf("dry run: %s", got)
	}
	got := deckRun(t, dir, 0, "", "undo-import", "--deck", "acme", "--json").out
	if !strings.Contains(got, `"removed": 2`) || !strings.Contains(got, `"restored": 1`) || !strings.Contains(got, `"applied": true`) {
		t.Errorf("undo: %s", got)
	}
	if after := deckRun(t, dir, 0, "", "export-rates", "--deck", "acme").out; after != before {
		t.Errorf("after the undo\n%s\nwant\n%s", after, before)
	}
	if got := deckRun(t, dir, 1, "", "undo-import", "--deck", "acme"); !strings.Contains(got.errw, "was undone on") {
		t.Errorf("a second undo: %s", got.errw)
	}
	deckRun(t, dir, 0, "", "import-profile", "delete", "acme")
	if got := deckRun(t, dir, 1, "prefix,price\n1,1\n", "import-rates", "-", "--profile", "acme"); !strings.Contains(got.errw, "import profile acme does not exist") {
		t.Errorf("a profile that is gone: %s", got.errw)
	}
	if got := deckRun(t, dir, 0, "", "import-profile", "list").out; strings.Contains(got, "acme") {
		t.Errorf("list: %s", got)
	}
	deckRun(t, dir, 0, "", "check")
}
