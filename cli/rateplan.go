package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newRatePlan(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List rate plans, their decks and how many accounts they charge", Example: "  billd rateplan list", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "rateplan-list", args: ops.ListArgs{JSON: a.json}})
		},
	}
	family := newFamily("rateplan", "Say which decks charge which accounts: list, attach, detach", list,
		newRatePlanChange(a, "attach", "Attach decks to a rate plan, and accounts to it",
			"Attach decks to a rate plan, and accounts to it. The plan is made if there is none of that name.\n\n"+
				"An account has one plan, the last that was attached; a plan lists any number of decks, and the longest prefix\n"+
				"of all of them prices a call. An account without a plan is charged on plan default. Calls that are charged\n"+
				"already keep their prices, see billd rerate.",
			"  billd rateplan attach gold --deck carrier\n  billd rateplan attach gold --deck carrier --deck mobile --account 7 --account acme"),
		newRatePlanChange(a, "detach", "Detach decks or accounts from a rate plan",
			"Detach decks or accounts from a rate plan. An account is charged on plan default from then on.",
			"  billd rateplan detach gold --deck mobile\n  billd rateplan detach gold --account acme"))
	family.Long = "A deck holds rates, a rate plan lists decks, and an account is charged on a plan. Yeti's rate groups are the\n" +
		"decks, its rateplans the plans. A vendor's deck needs no plan: it prices what its account terminates."
	return family
}

func newRatePlanChange(a *app, name, short, long, example string) *cobra.Command {
	var args ops.RatePlanArgs
	cmd := &cobra.Command{
		Use: name + " PLAN", Short: short, Long: long, Example: example, Args: want("PLAN"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Plan, args.JSON = argv[0], a.json
			return a.runOp(cmd, call{op: "rateplan-" + name, args: args})
		},
	}
	cmd.Flags().StringArrayVar(&args.Decks, "deck", nil, "deck, by its name")
	cmd.Flags().StringArrayVar(&args.Accounts, "account", nil, "account: number, uuid or name")
	return cmd
}
