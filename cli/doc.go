// Package cli is billd's command line.
//
// One file per command holds newXxx(a *app) *cobra.Command; root.go lists them under the groups that
// `billd help` shows. A command that works on the store is flags, an argument struct of package ops
// and one call, and runs through either door (door.go): the server's socket if one answers, else the
// store itself.
//
//	func newExplain(a *app) *cobra.Command {
//		var args ops.ExplainArgs
//		cmd := &cobra.Command{
//			Use:     "explain NUMBER SECONDS",
//			Short:   "Show every step of a call's price",
//			Example: "  billd explain 442079460000 61 --account 2",
//			Args:    want("NUMBER", "SECONDS"),
//			RunE: func(cmd *cobra.Command, argv []string) error {
//				args.Number, args.Seconds, args.JSON = argv[0], argv[1], a.json
//				return a.runOp(cmd, call{op: "explain", args: args})
//			},
//		}
//		cmd.Flags().StringVar(&args.Account, "account", "", "who would pay: number, uuid or name")
//		return cmd
//	}
//
// It may import server and below, storage and rating; it alone imports cobra.
package cli
