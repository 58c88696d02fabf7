package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newAuthorize(a *app) *cobra.Command {
	var args ops.AuthorizeArgs
	cmd := &cobra.Command{
		Use:   "authorize NUMBER",
		Short: "Ask whether a call may begin, and for how long",
		Long: "Ask whether a call may begin, for how long, and at which rate, as a switch would. Nothing is reserved.\n" +
			"Who pays is named by --account, else told by --ip and the numbers as customers-auths say.\n" +
			"The number is matched as it is, without + or 00 in front.",
		Example: "  billd authorize 442079460000 --account acme\n  billd authorize 442079460000 --account acme --seconds 60 --json\n" +
			"  billd authorize 442079460000 --ip 192.0.2.7 --src 4930123456",
		Args: want("NUMBER"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args.Number, args.JSON = argv[0], a.json
			return a.runOp(cmd, call{op: "authorize", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Account, "account", "", "who would pay: number, uuid or name")
	f.StringVar(&args.IP, "ip", "", "the address that the call comes from")
	f.StringVar(&args.Src, "src", "", "the number that calls")
	f.StringVar(&args.Vendor, "vendor", "", "who would terminate it: number, uuid or name")
	f.StringVar(&args.Seconds, "seconds", "", "talk time to ask for (default as settings say)")
	f.StringVar(&args.At, "at", "", "when the call starts, a date or moment (default now)")
	return cmd
}

func newReservations(a *app) *cobra.Command {
	var args ops.ReservationArgs
	list := &cobra.Command{
		Use: "list", Short: "List calls that are authorised and not charged yet", Args: want(),
		Long:    "List calls that are authorised and not charged yet, with what they have reserved and until when.",
		Example: "  billd reservations list\n  billd reservations list --account acme --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "reservations-list", args: args})
		},
	}
	list.Flags().StringVar(&args.Account, "account", "", "only those that this account pays: number, uuid or name")
	list.Flags().StringVar(&args.CallID, "call-id", "", "only the call with this id")
	return newFamily("reservations", "Look after what calls under way have reserved: list, release", list,
		&cobra.Command{
			Use: "release ID", Short: "Give back what a call has reserved", Args: want("ID"),
			Long:    "Give back what a call has reserved, because it did not come about. One that did is charged all the same.",
			Example: "  billd reservations release 17",
			RunE: func(cmd *cobra.Command, argv []string) error {
				id, err := number("ID", argv[0])
				if err != nil {
					return err
				}
				return a.runOp(cmd, call{op: "reservations-release", args: ops.ReservationArgs{ID: id, JSON: a.json}})
			},
		})
}
