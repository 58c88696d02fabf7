package cli

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newCDR(a *app) *cobra.Command {
	return newFamily("cdr", "Tell how a call was read, who pays for it and why: explain, waiting", newExplainCDR(a), newWaiting(a))
}

func newWaiting(a *app) *cobra.Command {
	var args ops.WaitingArgs
	cmd := &cobra.Command{
		Use: "waiting", Short: "List calls of which the INVITE or the BYE is missing", Example: "  billd cdr waiting --source kamailio", Args: want(),
		Long: "List calls that a SIP proxy tells in two records, by HTTP, RADIUS or in files, and of which one has come. An INVITE waits a\n" +
			"day for its BYE, a BYE an hour for its INVITE; then they go to suspense, and the other one is still taken for a week.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "cdr-waiting", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Source, "source", "", "only of this source")
	return cmd
}

func newExplainCDR(a *app) *cobra.Command {
	var args ops.ExplainCDRArgs
	cmd := &cobra.Command{
		Use:   "explain FILE|ID",
		Short: "Tell how records are read and charged, or how a stored call was",
		Long: "Tell of each record of a file how it is read, who would pay by which rule, on which rate and step by step for what,\n" +
			"whether it is a duplicate, or why it would be kept in suspense. Nothing is stored. With the number of a call in the\n" +
			"store, the same of what is stored. - is standard input.",
		Example: "  billd cdr explain Master.csv --source pbx\n  billd cdr explain call.json --format freeswitch-json\n  billd cdr explain 1850372945330176000 --json",
		Args:    want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.JSON = a.json
			if id, err := strconv.ParseUint(argv[0], 10, 64); err == nil && !exists(argv[0]) {
				args.ID = id
				return a.runOp(cmd, call{op: "cdr-explain", args: args})
			}
			return a.runOpFrom(cmd, "cdr-explain", argv[0], func(in ops.Input) any {
				args.File.Input = in
				return args
			})
		},
	}
	fileFlags(cmd.Flags(), &args.File)
	cmd.Flags().IntVar(&args.Limit, "limit", ops.ShownExplained, "records at most")
	cmd.Flags().BoolVar(&args.Held, "held", false, "tell of those alone that would be kept in suspense")
	return cmd
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func newTestSource(a *app) *cobra.Command {
	var args ops.TestSourceArgs
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Tell what a source's rules make of a call", Args: want("NAME"),
		Long:    "Tell what a source's rules make of a call: its numbers rule by rule, who pays and by which rule, and the price.",
		Example: "  billd source test pbx --number 0044207946000 --caller 030123456 --account acme --seconds 61\n  billd source test gw1 --number +4930123456 --ip 192.0.2.7",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Name, args.JSON = argv[0], a.json
			return a.runOp(cmd, call{op: "source-test", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Number, "number", "", "the number that is called, as the switch writes it")
	f.StringVar(&args.Caller, "caller", "", "the caller's number")
	f.StringVar(&args.Account, "account", "", "the account code")
	f.StringVar(&args.IP, "ip", "", "where the call comes from")
	f.StringVar(&args.Gateway, "gateway", "", "the trunk")
	f.BoolVar(&args.Inbound, "inbound", false, "the call came in")
	f.IntVar(&args.Seconds, "seconds", 60, "seconds of talk")
	f.StringVar(&args.At, "at", "", "when the call starts, a date or moment (default now)")
	return cmd
}

// splitCommas splits values that may hold several each.
func splitCommas(values []string) (all []string) {
	for _, v := range values {
		all = append(all, strings.Split(v, ",")...)
	}
	return all
}
