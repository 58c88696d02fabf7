package cli

import (
	"errors"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newNAS(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List who may speak RADIUS, and who else has tried", Example: "  billd nas list", Args: want(),
		Long: "List who may speak RADIUS, with the packets that came from each since the server started, and the latest senders\n" +
			"that are no NAS: their packets were dropped.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "nas-list", args: ops.NASArgs{JSON: a.json}})
		},
	}
	one := func(name, short string) *cobra.Command {
		return &cobra.Command{
			Use: name + " NAME", Short: short, Example: "  billd nas " + name + " gw1", Args: want("NAME"),
			RunE: func(cmd *cobra.Command, argv []string) error {
				return a.runOp(cmd, call{op: "nas-" + name, args: ops.NASArgs{Name: argv[0], JSON: a.json}})
			},
		}
	}
	family := newFamily("nas", "Say who may speak RADIUS: list, show, add, set, delete", list,
		one("show", "Show a NAS, without its secret"), newNASAdd(a), newNASSet(a), one("delete", "Delete a NAS: its packets are dropped from then on"))
	family.Long = "A NAS is what sends RADIUS packets: a gateway, a SIP proxy, a broadband concentrator, or a RADIUS server that\n" +
		"passes on what those say. It is known by the address that its packets come from. Changes count at once."
	return family
}

func newNASAdd(a *app) *cobra.Command {
	var f nasFlags
	cmd := &cobra.Command{
		Use: "add NAME NETWORK", Short: "Let an address, or a network, speak RADIUS", Args: want("NAME", "NETWORK"),
		Long:    "Let an address, or a network in CIDR form, speak RADIUS. Of networks that lie in one another the narrowest counts.",
		Example: "  billd nas add gw1 192.0.2.1 --secret testing123\n  pwgen 20 1 | billd nas add proxy 192.0.2.7 --secret-stdin --rules",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args, err := f.args(a, cmd, argv[0])
			if err != nil {
				return err
			}
			if args.Secret == nil {
				return usageError(errors.New("add: want --secret SECRET or --secret-stdin"))
			}
			args.Network = &argv[1]
			return a.runOp(cmd, call{op: "nas-add", args: args})
		},
	}
	f.on(cmd)
	return cmd
}

func newNASSet(a *app) *cobra.Command {
	var f nasFlags
	var network string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change a NAS", Args: want("NAME"),
		Long:    "Change what the flags name; the rest stays. --account \"\" has the records say again who pays.",
		Example: "  billd nas set gw1 --leg answer --zone Europe/Berlin\n  billd nas set bras --swap-directions",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args, err := f.args(a, cmd, argv[0])
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("network") {
				args.Network = &network
			}
			return a.runOp(cmd, call{op: "nas-set", args: args})
		},
	}
	f.on(cmd)
	cmd.Flags().StringVar(&network, "network", "", "the address, or the network, that packets come from")
	return cmd
}

// nasFlags are what add and set can say.
type nasFlags struct {
	secret, password, source, account, leg, zone string
	secretStdin, signed, swapped, wraps, rules   bool
}

func (f *nasFlags) on(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.secret, "secret", "", "the shared secret, 6 to 128 characters; others on this machine can see it while the command runs")
	flags.BoolVar(&f.secretStdin, "secret-stdin", false, "read the shared secret from standard input")
	flags.BoolVar(&f.signed, "require-message-authenticator", true, "drop access requests without Message-Authenticator, which anybody on the way can forge")
	flags.StringVar(&f.password, "password", "", `what User-Password or CHAP-Password of every access request must be, "" for whatever it is`)
	flags.BoolVar(&f.swapped, "swap-directions", false, "the NAS counts what subscribers send as output")
	flags.BoolVar(&f.wraps, "wraps", false, "the NAS sends no gigawords: a smaller total is a counter that passed 4 GB")
	flags.StringVar(&f.source, "source", "", "the source profile that its calls are charged by (billd source); their source is named so instead of like the NAS")
	flags.StringVar(&f.account, "account", "", "who pays all its calls; without it User-Name names the account")
	flags.BoolVar(&f.rules, "rules", false, "customers-auths say who pays, by address and numbers; User-Name does not")
	flags.StringVar(&f.leg, "leg", "", "which leg of a gateway's calls is charged: originate, answer or both (default originate)")
	flags.StringVar(&f.zone, "zone", "", "the time zone of stamps that name none (default UTC)")
}

// args are what the flags that were given say.
func (f *nasFlags) args(a *app, cmd *cobra.Command, name string) (args ops.NASArgs, err error) {
	args.Name, args.JSON = name, a.json
	changed := cmd.Flags().Changed
	if f.secretStdin {
		if changed("secret") {
			return args, usageError(errors.New("--secret and --secret-stdin: want one"))
		}
		if f.secret, err = a.password(true); err != nil {
			return args, err
		}
		args.Secret = &f.secret
	}
	for _, s := range [...]struct {
		name string
		from *string
		to   **string
	}{{"secret", &f.secret, &args.Secret}, {"password", &f.password, &args.Password}, {"source", &f.source, &args.Source},
		{"account", &f.account, &args.Account}, {"leg", &f.leg, &args.Leg}, {"zone", &f.zone, &args.Zone}} {
		if changed(s.name) {
			*s.to = s.from
		}
	}
	unsigned := !f.signed
	for _, s := range [...]struct {
		name string
		from *bool
		to   **bool
	}{{"require-message-authenticator", &unsigned, &args.Unsigned}, {"swap-directions", &f.swapped, &args.Swapped},
		{"wraps", &f.wraps, &args.Wraps}, {"rules", &f.rules, &args.Rules}} {
		if changed(s.name) {
			*s.to = s.from
		}
	}
	return args, nil
}
