package cli

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planIn writes a tariff plan into a folder, its files' names beginning with front.
func planIn(t *testing.T, folder, front string) {
	t.Helper()
	for name, text := range map[string]string{
		"Destinations.csv":     "#Id,Prefix\nUK,+44\nUK,4420\nVM,voicemail\nDE,49\n",
		"Rates.csv":            "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\n\n# the first minute whole\nMIN,0.2,1.2,1m,1m,0\nMIN,,1.2,1m,1s,1m\nSEC,0,0.1,1m,1s,0\nSMS,0,0.1,1,1,0\n",
		"DestinationRates.csv": "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\nRETAIL,UK,MIN,*up,4,,\nRETAIL,VM,MIN,*up,4,,\nFINE,DE,SEC,*up,4,,\nTEXT,DE,SMS,,,,\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, front+name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATariffPlanIsImported(t *testing.T) {
	const deck = ",UK,1.2,1.2,0.2,60,1,"
	for _, door := range []string{"direct", "server"} {
		dir, folder := t.TempDir(), t.TempDir()
		if door == "server" {
			serveAll(t, dir)
		}
		planIn(t, folder, "x-")
		dry := deckRun(t, dir, 3, "", "import-rates", folder, "--plan", "RETAIL", "--dry-run")
		if !strings.Contains(dry.out, "tariff plan of CGRateS, plan RETAIL\nDestinations.csv: 4 rows, 3 prefixes of digits\nRates.csv: 4 rows of 3 rates\nDestinationRates.csv: 4 rows of 3 plans\nnew deck RETAIL,") ||
			!strings.Contains(dry.out, "read 3: 2 added, 0 changed, 0 same, 1 rejected") || !strings.Contains(dry.errw, `line 3: destination VM: prefix "voicemail": want digits (Destinations.csv line 4)`) {
			t.Errorf("%s: a dry run: %s%s", door, dry.out, dry.errw)
		}
		deckRun(t, dir, 3, "", "import-rates", filepath.Join(folder, "x-Rates.csv"), "--plan", "RETAIL")
		if got := deckRun(t, dir, 0, "", "export-rates", "--deck", "RETAIL", "--format", "plain").out; strings.Count(got, deck) != 2 {
			t.Errorf("%s: the deck is\n%s\nwant %s twice", door, got, deck)
		}
		if got := deckRun(t, dir, 3, "", "import-rates", folder, "--plan", "RETAIL").out; !strings.Contains(got, "0 added, 0 changed, 2 same, 1 rejected; removed from the deck: 0") {
			t.Errorf("%s: the second time: %s", door, got)
		}
		deckRun(t, dir, 0, "", "import-profile", "save", "cg", "--plan", "TEXT", "--bare-unit", "s", "--deck", "texts")
		if got := deckRun(t, dir, 0, "", "import-rates", folder, "--profile", "cg", "--dry-run").out; !strings.Contains(got, "new deck texts,") {
			t.Errorf("%s: by a profile: %s", door, got)
		}
		deckRun(t, dir, 0, "", "undo-import", "--deck", "RETAIL")
	}
}

func TestATariffPlanSaysHowChargesAreRounded(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	planIn(t, folder, "")
	got := deckRun(t, dir, 1, "", "import-rates", folder, "--plan", "FINE")
	const want = "line 4: the list rounds charges up at 4 decimals, deck FINE half away from zero at 5: billd can round so in a deck of preset yeti, with the settings rounding.customer.mode and rounding.customer.precision"
	if !strings.Contains(got.errw, want) {
		t.Errorf("refused with %s, want %s", got.errw, want)
	}
	deckRun(t, dir, 1, "", "import-rates", folder, "--plan", "FINE", "--preset", "yeti")
	deckRun(t, dir, 0, "", "settings", "set", "rounding.customer.mode", "up")
	deckRun(t, dir, 0, "", "settings", "set", "rounding.customer.precision", "4")
	deckRun(t, dir, 0, "", "import-rates", folder, "--plan", "FINE", "--preset", "yeti")
	if got := deckRun(t, dir, 0, "", "explain", "4930", "7", "--deck", "FINE").out; !strings.HasPrefix(got, "4930, 7 s: 0.0117 EUR") { // 0.011666…
		t.Errorf("7 s at 0.1 a minute: %s, want 0.0117", got)
	}
}

func TestATariffPlanInAnArchiveAndWhatIsNone(t *testing.T) {
	dir, folder, empty := t.TempDir(), t.TempDir(), t.TempDir()
	planIn(t, folder, "")
	archive := filepath.Join(t.TempDir(), "plan.zip")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	if err := z.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	packed, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	deckRun(t, dir, 3, string(packed), "import-rates", "-", "--plan", "RETAIL")
	partial := filepath.Join(empty, "Rates.csv")
	if err := os.Rename(filepath.Join(folder, "Rates.csv"), partial); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(partial)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in string
		args     []string
		want     string
	}{
		{"no plan is said", string(packed), []string{"-"}, "billd: stdin: DestinationRates.csv has 3 plans, each a deck of its own: say which with --plan: RETAIL, FINE, TEXT\n"},
		{"a file is missing", "", []string{folder}, "a tariff plan of CGRateS without Rates.csv: billd wants Destinations.csv, Rates.csv, DestinationRates.csv together\n"},
		{"two files are missing", "", []string{partial}, "without Destinations.csv and DestinationRates.csv: billd wants"},
		{"one file through a pipe", string(text), []string{"-"}, "billd: stdin: one file of a tariff plan of CGRateS: want Destinations.csv, Rates.csv, DestinationRates.csv together, in a folder or as a ZIP archive\n"},
		{"a folder of something else", "", []string{dir}, "want a price list, or the folder of a CGRateS tariff plan: Destinations.csv, Rates.csv, DestinationRates.csv\n"},
		{"a plan of a price list", "prefix,price\n44,1\n", []string{"-", "--plan", "X"}, `billd: stdin: plan "X": the file is no tariff plan of CGRateS`},
		{"a sheet of a tariff plan", string(packed), []string{"-", "--sheet", "X"}, `billd: stdin: sheet "X": the file is a tariff plan, --plan says which of its lists`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := deckRun(t, dir, 1, tt.in, append([]string{"import-rates"}, tt.args...)...); !strings.Contains(got.errw, tt.want) {
				t.Errorf("refused with %q, want %q", got.errw, tt.want)
			}
		})
	}
}
