package cli

import (
	"errors"
	"time"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newSwitch(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List switches, from where, and when they were heard of last", Example: "  billd switch list", Args: want(),
		Long: "List switches, from where their keys may be shown, until when those hold, and what came from each since the server\n" +
			"started. Refused are requests from elsewhere, and for what only an operator may do.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "switch-list", args: ops.SwitchArgs{JSON: a.json}})
		},
	}
	remove := &cobra.Command{
		Use: "delete NAME", Short: "Delete a switch: its key opens nothing from then on", Example: "  billd switch delete fs1", Args: want("NAME"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOp(cmd, call{op: "switch-delete", args: ops.SwitchArgs{Name: argv[0], JSON: a.json}})
		},
	}
	family := newFamily("switch", "Give switches their keys: add, list, set, renew, delete", newSwitchKey(a, "add", "Make a switch and print its key",
		"Make a switch and print its key, which is kept nowhere: it is what the switch shows as a bearer token, or as the\npassword of any user name. It opens what a switch needs and nothing else: delivering records of calls and data\n"+
			"sessions, asking whether a call may begin and what it costs, extending and releasing reservations.",
		"  billd switch add fs1 > billd.token\n  billd switch add fs1 --from 192.0.2.7 --from 2001:db8::/64"),
		list, newSwitchSet(a), newSwitchKey(a, "renew", "Print another key for a switch; the one before it ends",
			"Print another key for a switch. The one before it ends at once.", "  billd switch renew fs1 > billd.token"), remove)
	family.Long = "A switch is what delivers records over HTTP and asks whether calls may begin. Each has a key of its own, which ends\n" +
		"when the switch is deleted. Senders of RADIUS are another command's: billd nas."
	return family
}

func newSwitchKey(a *app, name, short, long, example string) *cobra.Command {
	var from []string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use: name + " NAME", Short: short, Long: long, Example: example, Args: want("NAME"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args := ops.SwitchArgs{Name: argv[0], Seconds: int64(ttl / time.Second), JSON: a.json}
			if cmd.Flags().Changed("ttl") && ttl < time.Second {
				return usageError(errors.New("--ttl: want 1s or more"))
			}
			if cmd.Flags().Changed("from") {
				args.Networks = &from
			}
			return a.runOp(cmd, call{op: "switch-" + name, args: args})
		},
	}
	cmd.Flags().StringArrayVar(&from, "from", nil, "address or network that the key may be shown from, once or more (default anywhere)")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long the key holds (default ten years)")
	return cmd
}

func newSwitchSet(a *app) *cobra.Command {
	var from []string
	var anywhere bool
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Say from where a switch may show its key", Args: want("NAME"),
		Example: "  billd switch set fs1 --from 192.0.2.7\n  billd switch set fs1 --anywhere",
		RunE: func(cmd *cobra.Command, argv []string) error {
			if anywhere == (len(from) > 0) {
				return usageError(errors.New("set: want --from NETWORK, once or more, or --anywhere"))
			}
			networks := append([]string{}, from...)
			return a.runOp(cmd, call{op: "switch-set", args: ops.SwitchArgs{Name: argv[0], Networks: &networks, JSON: a.json}})
		},
	}
	cmd.Flags().StringArrayVar(&from, "from", nil, "address or network that the key may be shown from, once or more")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "the key may be shown from everywhere")
	return cmd
}
