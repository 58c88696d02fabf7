package cli

import (
	"fmt"
	"strconv"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newSuspense(a *app) *cobra.Command {
	return newFamily("suspense", "Look after calls that could not be charged: list, show, edit, retry, drop",
		newSuspenseMany(a, "list", "List held calls and why", "The counts of their reasons follow.",
			"  billd suspense list --reason no_rate\n  billd suspense list --account acme --from 2026-01-01 --to 2026-02-01\n  billd suspense list --counts --json"),
		newSuspenseShow(a),
		newSuspenseEdit(a),
		newSuspenseMany(a, "retry", "Charge held calls again", "A call that can be charged now becomes a CDR, once; the others stay with today's reason, and the exit code is 3.",
			"  billd suspense retry\n  billd suspense retry 17\n  billd suspense retry --reason no_rate --account acme\n  billd suspense retry --from 2026-01-01 --to 2026-02-01"),
		newSuspenseMany(a, "drop", "Give up held calls", "The audit trail notes it. A record that is delivered again afterwards is a new one.", "  billd suspense drop 17\n  billd suspense drop --reason bad_record"))
}

// newSuspenseMany makes a subcommand that works on one, on those that its flags pick, or on all.
func newSuspenseMany(a *app, name, short, long, example string) *cobra.Command {
	var args ops.SuspenseArgs
	cmd := &cobra.Command{
		Use: name + " [ID]", Short: short, Long: short + ". " + long, Example: example,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			if args.JSON = a.json; len(argv) == 1 {
				if args.ID, err = number("ID", argv[0]); err != nil {
					return err
				}
			}
			return a.runOp(cmd, call{op: "suspense-" + name, args: args})
		},
	}
	if name == "list" {
		cmd.Use, cmd.Args = name, want()
	}
	f := cmd.Flags()
	f.StringVar(&args.Reason, "reason", "", "only those held for it: no_account, no_rate, bad_time …")
	f.StringVar(&args.Account, "account", "", "only those that this account would pay: number, uuid, name, or what the record says")
	f.StringVar(&args.From, "from", "", "only calls that began then or later, a date or moment")
	f.StringVar(&args.To, "to", "", "only calls that began before it")
	switch name {
	case "drop":
		f.BoolVar(&args.All, "all", false, "all of them")
	case "list":
		f.BoolVar(&args.Counts, "counts", false, "count them by reason only")
	}
	return cmd
}

func newSuspenseShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a held call with all its fields", Example: "  billd suspense show 17", Args: want("ID"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			id, err := number("ID", argv[0])
			if err != nil {
				return err
			}
			return a.runOp(cmd, call{op: "suspense-show", args: ops.SuspenseArgs{ID: id, JSON: a.json}})
		},
	}
}

func newSuspenseEdit(a *app) *cobra.Command {
	var args ops.SuspenseArgs
	var set []string
	cmd := &cobra.Command{
		Use: "edit ID", Short: "Correct a held record", Args: want("ID"),
		Long: "Correct columns of a held record by their names in a CDR, and show it as it then is. An empty value takes a\n" +
			"column away. Of a record that was not even JSON nothing is known: give all of its columns.\n\n" +
			"The record stays held until billd suspense retry. The audit trail tells who changed what.",
		Example: "  billd suspense edit 17 --set time_start=2026-01-05T10:00:00Z\n  billd suspense edit 17 --set account=acme --set dst=442079460000",
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			args.JSON, args.Set = a.json, map[string]string{}
			if args.ID, err = number("ID", argv[0]); err != nil {
				return err
			}
			for _, s := range set {
				name, value, ok := strings.Cut(s, "=")
				if _, twice := args.Set[name]; !ok || name == "" || twice {
					return usageError(fmt.Errorf("--set %q: want COLUMN=VALUE, each column once", s))
				}
				args.Set[name] = value
			}
			return a.runOp(cmd, call{op: "suspense-edit", args: args})
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "what a column is to be: COLUMN=VALUE")
	return cmd
}

// number reads an argument that is a record's number.
func number(name, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, usageError(fmt.Errorf("%s %q: want a number", name, text))
	}
	return n, nil
}
