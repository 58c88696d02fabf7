package cli

import (
	"fmt"
	"io"
	"runtime/debug"

	"billd/server/ops"
	"billd/storage"

	"github.com/spf13/cobra"
)

// What a release's build sets: -ldflags "-X billd/cli.release=1.2.3 -X billd/cli.commit=… -X billd/cli.date=…".
var (
	release = "dev"
	commit  = ""
	date    = ""
)

// build describes this binary.
type build struct {
	Version     string `json:"version"`
	Commit      string `json:"commit"` // "" when the build did not say
	Date        string `json:"date"`   // of the commit, "" when the build did not say
	Go          string `json:"go"`
	StoreFormat int    `json:"store_format"`
}

func thisBuild() build {
	b := build{Version: release, Commit: commit, Date: date, StoreFormat: storage.SchemaVersion}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.Commit == "":
			b.Commit = s.Value
		case s.Key == "vcs.time" && b.Date == "":
			b.Date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true" && commit == "":
			b.Commit += "+changes"
		}
	}
	return b
}

// version is what the two ends of the socket compare: the release and its commit.
func version() string {
	b := thisBuild()
	if b.Commit == "" {
		return b.Version
	}
	return b.Version + " (" + b.Commit[:min(len(b.Commit), 12)] + ")"
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit, date, Go and store format",
		Example: "  billd version\n  billd version --json",
		Args:    want(),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return ops.Print(a.out, a.json, b, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "billd %s\ncommit %s\ndate %s\ngo %s\nstore format %d\n",
					b.Version, known(b.Commit), known(b.Date), b.Go, b.StoreFormat)
				return err
			})
		},
	}
}

func known(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}
