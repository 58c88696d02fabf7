package cli

import (
	"fmt"
	"strconv"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newSuspense(a *app) *cobra.Command {
	return newFamily("suspense", "Look after calls that could not be charged: list, show, retry, drop",
		newSuspenseMany(a, "list", "List held calls and why", "", "  billd suspense list --reason no_rate"),
		newSuspenseShow(a),
		newSuspenseMany(a, "retry", "Charge held calls again", "A call that can be charged now becomes a CDR, once; the others stay with today's reason, and the exit code is 3.",
			"  billd suspense retry\n  billd suspense retry 17\n  billd suspense retry --reason no_rate"),
		newSuspenseMany(a, "drop", "Give up held calls", "The audit trail notes it. A record that is delivered again afterwards is a new one.", "  billd suspense drop 17\n  billd suspense drop --reason bad_record"))
}

// newSuspenseMany makes a subcommand that works on one, on those of a reason, or on all.
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
	cmd.Flags().StringVar(&args.Reason, "reason", "", "only those held for it: no_account, no_rate, bad_time …")
	if name == "drop" {
		cmd.Flags().BoolVar(&args.All, "all", false, "all of them")
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

// number reads an argument that is a record's number.
func number(name, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, usageError(fmt.Errorf("%s %q: want a number", name, text))
	}
	return n, nil
}
