package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newGuard(a *app) *cobra.Command {
	return newFamily("guard", "Watch accounts for fraud: list, show, set, unset, alarms, unblock, prefixes",
		newGuardList(a), newGuardShow(a), newGuardSet(a), newGuardUnset(a), newGuardAlarms(a), newGuardUnblock(a), newGuardPrefixes(a))
}

// guardRules tells of the rules in the help of those that take one.
const guardRules = "Rules: spend-hour, spend-day (money, VAT included), risk-calls, risk-minutes (an hour's calls to high-risk\n" +
	"prefixes), concurrent (calls at the same time), night-calls, night-spend, and night, the hours of the latter two.\n"

func newGuardList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what is watched, and who is blocked", Args: want(),
		Long:    "List what is watched of all accounts, the accounts with rules of their own, and those that are blocked.",
		Example: "  billd guard list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "guard-list", args: ops.GuardArgs{JSON: a.json}})
		},
	}
}

func newGuardShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show [ACCOUNT]", Short: "Show an account's rules and what they compare now", Args: cobra.MaximumNArgs(1),
		Long:    "Show an account's rules, where they come from, and what its hour, day and night hold now; without an\naccount the rules for all.",
		Example: "  billd guard show\n  billd guard show acme",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args := ops.GuardArgs{JSON: a.json}
			if len(argv) == 1 {
				args.Account = argv[0]
			}
			return a.runOp(cmd, call{op: "guard-show", args: args})
		},
	}
}

func newGuardSet(a *app) *cobra.Command {
	args := ops.GuardArgs{}
	cmd := &cobra.Command{
		Use: "set RULE LIMIT", Short: "Set a rule for all accounts or for one", Args: want("RULE", "LIMIT"),
		Long: "Set a rule for all accounts, or for one, which goes before. A limit may be reached but not passed; off takes\n" +
			"a rule for all away from one account. What passed it is told by e-mail and webhook, as balance thresholds are.\n" +
			"An account that is blocked has its next calls refused; calls that it made are charged all the same.\n" + guardRules,
		Example: "  billd guard set spend-hour 50\n  billd guard set risk-minutes 10 --action block\n" +
			"  billd guard set concurrent 20 --action block --until window --account acme\n  billd guard set spend-hour off --account acme\n" +
			"  billd guard set night 20:00-07:00",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Rule, args.Limit, args.JSON = argv[0], argv[1], a.json
			return a.runOp(cmd, call{op: "guard-set", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Account, "account", "", "for this account only: number, uuid or name")
	f.StringVar(&args.Action, "action", "notify", "what happens beyond the limit: notify or block")
	f.StringVar(&args.Until, "until", "lifted", "what ends a block: lifted (an operator does) or window (the hour, day or night is over)")
	return cmd
}

func newGuardUnset(a *app) *cobra.Command {
	args := ops.GuardArgs{}
	cmd := &cobra.Command{
		Use: "unset [RULE]", Short: "Take away a rule, or with --all all of them", Args: cobra.MaximumNArgs(1),
		Long:    "Take away a rule for all accounts, or one that an account has of its own. Blocks stay until they are lifted.\n" + guardRules,
		Example: "  billd guard unset spend-hour\n  billd guard unset --all --account acme",
		RunE: func(cmd *cobra.Command, argv []string) error {
			if args.JSON = a.json; len(argv) == 1 {
				args.Rule = argv[0]
			}
			return a.runOp(cmd, call{op: "guard-unset", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Account, "account", "", "of this account only: number, uuid or name")
	cmd.Flags().BoolVar(&args.All, "all", false, "all rules")
	return cmd
}

func newGuardAlarms(a *app) *cobra.Command {
	args := ops.GuardArgs{}
	cmd := &cobra.Command{
		Use: "alarms", Short: "List alarms, the newest last", Args: want(),
		Long:    "List alarms: limits that were passed, by which account, and whether that blocks it. They are kept for 180 days.",
		Example: "  billd guard alarms\n  billd guard alarms --blocking",
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "guard-alarms", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Account, "account", "", "only those of this account: number, uuid or name")
	cmd.Flags().BoolVar(&args.Blocking, "blocking", false, "only those that block their account now")
	return cmd
}

func newGuardUnblock(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "unblock ACCOUNT", Short: "Let a blocked account call again", Args: want("ACCOUNT"),
		Long: "Let a blocked account call again. Its rules stay: in the hour, day or night that runs, each that raised an\n" +
			"alarm has its whole limit again.",
		Example: "  billd guard unblock acme",
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOp(cmd, call{op: "guard-unblock", args: ops.GuardArgs{Account: argv[0], JSON: a.json}})
		},
	}
}

func newGuardPrefixes(a *app) *cobra.Command {
	plain := func(name, short, example string) *cobra.Command {
		return &cobra.Command{
			Use: name, Short: short, Example: example, Args: want(),
			RunE: func(cmd *cobra.Command, _ []string) error {
				return a.runOp(cmd, call{op: "guard-prefixes-" + name, args: ops.GuardArgs{JSON: a.json}})
			},
		}
	}
	some := func(name, short, example string) *cobra.Command {
		return &cobra.Command{
			Use: name + " PREFIX...", Short: short, Example: example, Args: cobra.MinimumNArgs(1),
			RunE: func(cmd *cobra.Command, argv []string) error {
				return a.runOp(cmd, call{op: "guard-prefixes-" + name, args: ops.GuardArgs{Prefixes: argv, JSON: a.json}})
			},
		}
	}
	return newFamily("prefixes", "Edit the high-risk prefixes: list, add, remove, reset",
		plain("list", "List the high-risk prefixes", "  billd guard prefixes list"),
		some("add", "Add high-risk prefixes", "  billd guard prefixes add 53 252"),
		some("remove", "Take prefixes from the list", "  billd guard prefixes remove 888"),
		plain("reset", "Go back to the list that a store begins with", "  billd guard prefixes reset"))
}
