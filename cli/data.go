package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newData(a *app) *cobra.Command {
	family := newFamily("data", "Bill broadband data: plan, subscription, usage, unassigned, sessions, import, export, held",
		newDataPlan(a), newDataSubscription(a), newDataUsage(a), newDataUnassigned(a), newDataSessions(a), newDataImport(a), newDataExport(a), newDataHeld(a))
	family.Long = "Bill broadband data. A plan says what a started GB or GiB costs, a subscription puts a RADIUS user name of an\n" +
		"account on a plan, and the sessions that come by RADIUS, from a file or by POST /api/v1/data-sessions are counted on\n" +
		"it by day and charged as they come."
	return family
}

func newDataPlan(a *app) *cobra.Command {
	var args ops.DataPlanArgs
	add := &cobra.Command{
		Use: "add NAME", Short: "Make a data plan", Args: want("NAME"),
		Long: "Make a data plan. Units are powers of ten (MB, GB, TB) or of two (MiB, GiB, TiB); every started one is paid, up to\n" +
			"the allowance at --price and beyond it at --overage. A plan never changes: a new price is a new plan.",
		Example: "  billd data plan add home-100 --allowance 100GB --overage 0.50\n  billd data plan add metered --unit GiB --price 0.40 --count down\n" +
			"  billd data plan add daily --period day --allowance 2GB --overage 1",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Name, args.JSON = argv[0], a.json
			return a.runOp(cmd, call{op: "data-plan-add", args: args})
		},
	}
	f := add.Flags()
	f.StringVar(&args.Unit, "unit", "GB", "what is paid for when it is started: MB, GB, TB, MiB, GiB, TiB")
	f.StringVar(&args.Price, "price", "", "net price of a started unit, up to the allowance if there is one (default 0)")
	f.StringVar(&args.Allowance, "allowance", "", "included in each period, such as 100GB or 1.5TiB")
	f.StringVar(&args.Overage, "overage", "", "net price of a started unit beyond the allowance (default 0)")
	f.StringVar(&args.Count, "count", "total", "what counts: total, down, up")
	f.StringVar(&args.Period, "period", "month", "how often the allowance begins anew, in the account's zone: day, week, month")
	f.StringVar(&args.Currency, "currency", "", "of the prices (default the store's)")
	list := &cobra.Command{
		Use: "list", Short: "List data plans", Example: "  billd data plan list", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "data-plan-list", args: ops.DataPlanArgs{JSON: a.json}})
		},
	}
	explain := &cobra.Command{
		Use: "explain NAME AMOUNT", Short: "Price an amount of data in one period, step by step", Example: "  billd data plan explain home-100 130.2GB", Args: want("NAME", "AMOUNT"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOp(cmd, call{op: "data-plan-explain", args: ops.DataPlanArgs{Name: argv[0], Used: argv[1], JSON: a.json}})
		},
	}
	remove := &cobra.Command{
		Use: "delete NAME", Short: "Delete a data plan that nobody was ever on", Example: "  billd data plan delete old", Args: want("NAME"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOp(cmd, call{op: "data-plan-delete", args: ops.DataPlanArgs{Name: argv[0], JSON: a.json}})
		},
	}
	return newFamily("plan", "Say what data costs: add, list, explain, import, delete", add, list, explain, remove,
		importInto(newImportRecords(a, "data-plan-import", "Make the data plans of a file", "Make the data plans of a CSV file with a header, or of JSON: name, currency, unit, price, allowance, overage, count, period.\n"+
			"A plan that is there and says the same is left alone; one that says otherwise is reported, and the exit code is 3.", "  billd data plan import plans.csv")))
}

// importInto makes an import of records the import of its family.
func importInto(cmd *cobra.Command) *cobra.Command {
	cmd.Use = "import FILE|-"
	return cmd
}

func newDataSubscription(a *app) *cobra.Command {
	var args ops.DataSubscriptionArgs
	add := &cobra.Command{
		Use: "add ACCOUNT USER PLAN", Short: "Put a RADIUS user name of an account on a data plan", Args: want("ACCOUNT", "USER", "PLAN"),
		Long: "Put a RADIUS user name of an account on a data plan. What the name used from its beginning on and is unassigned is\n" +
			"counted and charged at once; without --from it begins with the first of that, else now.\n\n" +
			"A monthly fee is a service (Yeti's services); --service shows the data under it on statements and invoices.",
		Example: "  billd data subscription add acme acme@isp.example home-100\n  billd data subscription add 7 00:0c:29:1a:2b:3c metered --from 2026-11-01",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Account, args.User, args.Plan, args.JSON = argv[0], argv[1], argv[2], a.json
			return a.runOp(cmd, call{op: "data-subscription-add", args: args})
		},
	}
	f := add.Flags()
	f.StringVar(&args.From, "from", "", "when it begins: a date in the account's zone, or a moment")
	f.StringVar(&args.Till, "till", "", "when it ends (default never)")
	f.Uint64Var(&args.Service, "service", 0, "number of the account's service that its charges are shown under")
	var end ops.DataSubscriptionArgs
	stop := &cobra.Command{
		Use: "end ID", Short: "End a subscription", Example: "  billd data subscription end 3\n  billd data subscription end 3 --till 2027-01-01", Args: want("ID"),
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			if end.ID, err = number("ID", argv[0]); err != nil {
				return err
			}
			end.JSON = a.json
			return a.runOp(cmd, call{op: "data-subscription-end", args: end})
		},
	}
	stop.Flags().StringVar(&end.Till, "till", "", "when: a date in the account's zone, or a moment (default now)")
	var of ops.DataSubscriptionArgs
	list := &cobra.Command{
		Use: "list", Short: "List subscriptions", Example: "  billd data subscription list --account acme", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			of.JSON = a.json
			return a.runOp(cmd, call{op: "data-subscription-list", args: of})
		},
	}
	list.Flags().StringVar(&of.Account, "account", "", "only those of this account: number, uuid or name")
	return newFamily("subscription", "Say whose a RADIUS user name is: add, end, list, import", add, stop, list,
		importInto(newImportRecords(a, "data-subscription-import", "Make the subscriptions of a file", "Make the subscriptions of a CSV file with a header, or of JSON: account (number, uuid or name), user, plan, from, till,\n"+
			"service_id. One that is there, of the same account, user, plan and from, is left alone; what cannot be is reported, and the\nexit code is 3.", "  billd data subscription import subscribers.csv")))
}

func newDataUsage(a *app) *cobra.Command {
	var args ops.DataUsageArgs
	cmd := &cobra.Command{
		Use: "usage", Short: "Show what subscriptions used, by period and day, and what it cost",
		Long:    "Show what subscriptions used, by period of their plan and by day of the account's zone, and what it cost. Without\ndays, those of the last month.",
		Example: "  billd data usage --account acme\n  billd data usage --from 2026-11-01 --to 2026-11-30 --json", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "data-usage", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Account, "account", "", "only this account's: number, uuid or name")
	f.StringVar(&args.User, "user", "", "only this user name's")
	f.StringVar(&args.From, "from", "", "first day, as 2026-11-01")
	f.StringVar(&args.To, "to", "", "last day")
	return cmd
}

func newDataUnassigned(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "unassigned", Short: "List users with usage and no subscription",
		Long:    "List users with usage and no subscription. Nothing of it is lost: a subscription that begins early enough takes it.",
		Example: "  billd data unassigned", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "data-unassigned", args: ops.DataUsageArgs{JSON: a.json}})
		},
	}
}

func newDataSessions(a *app) *cobra.Command {
	var args ops.DataUsageArgs
	cmd := &cobra.Command{
		Use: "sessions", Short: "List sessions", Example: "  billd data sessions --user acme@isp.example\n  billd data sessions --open", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "data-sessions", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.User, "user", "", "only this user name's")
	f.BoolVar(&args.Open, "open", false, "only those that go on")
	f.IntVar(&args.Limit, "limit", 0, "at most so many (default all)")
	return cmd
}

func newDataImport(a *app) *cobra.Command {
	var args ops.ImportDataArgs
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Take in sessions of a file",
		Long: "Take in sessions of a file: rows of FreeRADIUS's radacct as CSV or JSON (acctsessionid, username, nasipaddress,\n" +
			"acctstarttime, acctupdatetime, acctstoptime, acctinputoctets, acctoutputoctets …), accounting records as rlm_rest\n" +
			"posts them, billd's own columns: source, session, user, status, time, input_octets, output_octets, seconds, or\n" +
			"FreeRADIUS' detail files, whose sessions go the way of packets of the NAS that --nas names or that has their address.\n\n" +
			"Octets are totals of their session. The same file again, or a later one with greater totals, adds what is new.\n" +
			"A record that cannot be taken waits in `billd data held`, and the exit code is 3.",
		Example: "  billd data import radacct.csv --zone Europe/Berlin\n  billd data import sessions.ndjson --source bras1\n" +
			"  billd data import detail-20261121 --nas bras1", Args: want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOpFrom(cmd, "data-import", argv[0], func(in ops.Input) any {
				args.Input, args.JSON = in, a.json
				return args
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Source, "source", "", "the source of all records: the name that live records of the same NAS have")
	f.StringVar(&args.Zone, "zone", "", "time zone of times that carry none, such as Europe/Berlin (default UTC)")
	f.StringVar(&args.Format, "format", "", "radius-detail; auto, the default, goes by the file's beginning")
	f.StringVar(&args.NAS, "nas", "", "of a detail file: the NAS that sent its packets (default the one with their address)")
	f.BoolVar(&args.Wraps, "wraps", false, "the NAS sends no gigawords: a smaller total is a counter that passed 2^32")
	return cmd
}

func newDataExport(a *app) *cobra.Command {
	var args ops.ExportDataArgs
	cmd := &cobra.Command{
		Use: "export plans|subscriptions|sessions|usage", Short: "Write plans, subscriptions, sessions or days to standard output", Args: want("WHAT"),
		Long:    "Write all plans, subscriptions, sessions or what was used by day to standard output. Plans and subscriptions are read\nagain by their imports.",
		Example: "  billd data export subscriptions > subscriptions.csv\n  billd data export usage --format json",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.What, args.Format = argv[0], a.exportFormat(cmd, args.Format)
			return a.runOp(cmd, call{op: "data-export", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Format, "format", "csv", "csv or json")
	return cmd
}

func newDataHeld(a *app) *cobra.Command {
	return newFamily("held", "Look after records of sessions that could not be taken: list, retry, drop",
		newDataHeldMany(a, "list", "List held records and why", "  billd data held list --reason too_fast"),
		newDataHeldMany(a, "retry", "Take held records in again", "  billd data held retry\n  billd data held retry 3 --accept"),
		newDataHeldMany(a, "drop", "Give up held records", "  billd data held drop 3\n  billd data held drop --reason bad_record"))
}

// newDataHeldMany makes a subcommand that works on one, on those that its flags pick, or on all.
func newDataHeldMany(a *app, name, short, example string) *cobra.Command {
	var args ops.HeldDataArgs
	cmd := &cobra.Command{
		Use: name + " [ID]", Short: short, Example: example, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			if args.JSON = a.json; len(argv) == 1 {
				if args.ID, err = number("ID", argv[0]); err != nil {
					return err
				}
			}
			return a.runOp(cmd, call{op: "data-held-" + name, args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Reason, "reason", "", "only those held for it: too_fast, bad_time, bad_record, range")
	f.StringVar(&args.User, "user", "", "only this user name's")
	switch name {
	case "list":
		cmd.Use, cmd.Args = name, want()
	case "retry":
		f.BoolVar(&args.Accept, "accept", false, "also those that passed more in their time than data.max_rate")
	case "drop":
		f.BoolVar(&args.All, "all", false, "all of them")
	}
	return cmd
}
