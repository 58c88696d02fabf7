package cli

import (
	"errors"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newOutbox(a *app) *cobra.Command {
	retry := newOutboxSome(a, "retry", "Send messages again", "Make a message due now, with all its attempts before it; without an ID all that failed. The server sends\nwhat is due within seconds; while none runs, messages wait.",
		"  billd outbox retry\n  billd outbox retry 17\n  billd outbox retry --state waiting")
	drop := newOutboxSome(a, "drop", "Give up messages", "Give up a message, or those of a state, or with --all all that wait or failed. The audit trail notes it.",
		"  billd outbox drop 17\n  billd outbox drop --state failed")
	return newFamily("outbox", "Look after e-mails and webhooks that are to be sent: list, show, retry, drop",
		newOutboxList(a), newOutboxShow(a), retry, drop)
}

func newOutboxList(a *app) *cobra.Command {
	var args ops.OutboxArgs
	cmd := &cobra.Command{
		Use: "list", Short: "List messages and what became of them",
		Long:    "List messages and what became of them. One that fails is tried again after a minute, two, four and so on, 15 times\nin a day and a half; then it is failed. Sent ones are kept for 30 days.",
		Example: "  billd outbox list --state failed", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "outbox-list", args: args})
		},
	}
	stateFlag(cmd, &args.State)
	return cmd
}

func newOutboxShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a message, what it says and why it failed", Example: "  billd outbox show 17", Args: want("ID"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			id, err := number("ID", argv[0])
			if err != nil {
				return err
			}
			return a.runOp(cmd, call{op: "outbox-show", args: ops.OutboxArgs{ID: id, JSON: a.json}})
		},
	}
}

// newOutboxSome makes a subcommand that works on one message, on those of a state, or on all.
func newOutboxSome(a *app, name, short, long, example string) *cobra.Command {
	var args ops.OutboxArgs
	cmd := &cobra.Command{
		Use: name + " [ID]", Short: short, Long: long, Example: example, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			if args.JSON = a.json; len(argv) == 1 {
				if args.State != "" || args.All {
					return usageError(errors.New(name + ": want an ID or a flag, not both"))
				}
				if args.ID, err = number("ID", argv[0]); err != nil {
					return err
				}
			}
			return a.runOp(cmd, call{op: "outbox-" + name, args: args})
		},
	}
	stateFlag(cmd, &args.State)
	if name == "drop" {
		cmd.Flags().BoolVar(&args.All, "all", false, "all that wait or failed")
	}
	return cmd
}

func stateFlag(cmd *cobra.Command, state *string) {
	cmd.Flags().StringVar(state, "state", "", "only those in this state: waiting, sent, failed or dropped")
}
