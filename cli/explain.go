package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newExplain(a *app) *cobra.Command {
	var args ops.ExplainArgs
	cmd := &cobra.Command{
		Use:   "explain NUMBER SECONDS",
		Short: "Show every step of a call's price",
		Long: "Show what a call would cost and every step that leads to it, by the computation that charges.\n" +
			"With --account the decks are those of the account's rate plan and its VAT is on top; else one deck is asked.\n" +
			"The number is matched as it is, without + or 00 in front.",
		Example: "  billd explain 442079460000 61\n  billd explain 442079460000 61 --account 2 --json\n" +
			"  billd explain 442079460000 61 --deck carrier --at 2026-12-01",
		Args: want("NUMBER", "SECONDS"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Number, args.Seconds, args.JSON = argv[0], argv[1], a.json
			return a.runOp(cmd, call{op: "explain", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Account, "account", "", "who would pay: number, uuid or name")
	cmd.Flags().StringVar(&args.Deck, "deck", "", "deck (default default)")
	cmd.Flags().StringVar(&args.Vendor, "vendor", "", "who would terminate it, for rates that follow the vendor's price")
	cmd.Flags().StringVar(&args.At, "at", "", "when the call starts, a date or moment (default now)")
	return cmd
}
