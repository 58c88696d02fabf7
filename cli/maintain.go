package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"billd/server/control"
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newCheck(a *app) *cobra.Command {
	var args ops.CheckArgs
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove that the store is whole and that its money adds up",
		Long: "Prove that rows and their keys agree, that each call is stored once, that balances and day totals are\n" +
			"what calls and postings make, that all balances of a currency sum to zero, that invoices are their lines\n" +
			"and these their calls, and that nothing refers to what does not exist. Each fault is a line; exit code 4\n" +
			"says that there are some. --deep reads every page of the file too; writers wait for that part.",
		Example: "  billd check\n  billd check --deep --json",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "check", args: args})
		},
	}
	cmd.Flags().BoolVar(&args.Deep, "deep", false, "read every page of the file too")
	return cmd
}

func newBackup(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Copy the store while work goes on",
		Long: "Copy the store, as it is at this moment, to a file or to standard output. Work goes on meanwhile, and the\n" +
			"file appears when it is whole. Keep the data directory's secrets with it: without them tokens and Kazoo\n" +
			"logins of the restored store have to be made anew.",
		Example: "  billd backup billd-$(date +%F).db\n  billd backup - | zstd > billd.db.zst",
		Args:    want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "-" && isTerminal(a.out) {
				return usageError(errors.New("standard output is a terminal: name a file, or pipe it on"))
			}
			if err := a.runOpTo(cmd, "backup", args[0], nil); err != nil || args[0] == "-" {
				return err
			}
			at, err := os.Stat(args[0])
			if err != nil {
				return plain(err)
			}
			_, err = fmt.Fprintf(a.out, "%s: %s\n", args[0], ops.Size(at.Size()))
			return err
		},
	}
}

func newRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the store",
		Long: "Put a backup in the place of the store, while no server runs on it. The backup is opened and checked in\n" +
			"full first, and refused with exit code 4 if it has faults. The store before stays beside it as\n" +
			"billd.db.before-restore-TIME; remove it when all is well.",
		Example: "  billd restore billd-2026-11-01.db\n  zstd -dc billd.db.zst | billd restore -",
		Args:    want("FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.restore(cmd, args[0]) },
	}
}

func (a *app) restore(cmd *cobra.Command, path string) error {
	ctx := cmd.Context()
	switch _, err := control.Dial(ctx, a.dir, version()); {
	case err == nil:
		return fmt.Errorf("a server is running on %s: stop it, then restore", a.dir)
	case !errors.Is(err, control.ErrNobody):
		return err
	}
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return plain(err)
		}
		defer f.Close()
		if at, err := f.Stat(); err == nil && at.IsDir() {
			return fmt.Errorf("%s: a directory, want a file", path)
		}
		in = f
	}
	bar := newProgress(a.errw)
	done, err := ops.Restore(ctx, a.dir, in, &ops.IO{Progress: bar.report})
	bar.clear()
	if err != nil {
		return fmt.Errorf("%s: %w", path, plain(err))
	}
	if err := ops.Print(a.out, a.json, done, func(w io.Writer) error { return restoredLines(w, path, done) }); err != nil {
		return err
	}
	if len(done.Faults) > 0 {
		return exitCode(ops.ExitFaults)
	}
	return nil
}

func restoredLines(w io.Writer, path string, r ops.Restored) error {
	for _, f := range r.Faults {
		fmt.Fprintln(w, f)
	}
	var err error
	switch {
	case len(r.Faults) > 0:
		_, err = fmt.Fprintf(w, "%s: %d faults, nothing was changed\n", path, len(r.Faults))
	case r.Kept != "":
		_, err = fmt.Fprintf(w, "restored %s from %s; the store before is kept as %s\n", ops.Size(r.Bytes), path, r.Kept)
	default:
		_, err = fmt.Fprintf(w, "restored %s from %s\n", ops.Size(r.Bytes), path)
	}
	return err
}

func newCompact(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Write the store anew without its free pages",
		Long: "Write the store anew without the free pages that deletions leave, and put it in the place of the old one.\n" +
			"Readers go on; writers wait until it is done. It needs free space of the size of the new file.",
		Example: "  billd compact",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "compact", args: ops.CompactArgs{JSON: a.json}})
		},
	}
}
