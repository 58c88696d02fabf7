package cli

import (
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newSettings(a *app) *cobra.Command {
	cmd := newFamily("settings", "System-wide rules that change while billd runs: list, get, set",
		newSetting(a, "list", "List every setting, its value and what it takes", "  billd settings list"),
		newSetting(a, "get", "Print a setting's value", "  billd settings get rounding.customer.mode", "NAME"),
		newSetting(a, "set", "Change a setting; the next call is charged by it",
			"  billd settings set rounding.customer.mode half-away\n  billd settings set rounding.customer.precision 4\n  billd settings set topup.self_service false", "NAME", "VALUE"))
	cmd.Long = "System-wide rules, kept in the store and in force from the moment they are set. The audit trail keeps who changed what.\n" +
		"What billd needs to start at all — listener, directory, log — is not here but in flags and billd.toml."
	cmd.Example = "  billd settings list\n  billd settings set rounding.customer.mode up\n  billd settings set rounding.customer.precision 4"
	return cmd
}

func newSetting(a *app, name, short, example string, takes ...string) *cobra.Command {
	return &cobra.Command{
		Use: strings.Join(append([]string{name}, takes...), " "), Short: short, Example: example, Args: want(takes...),
		RunE: func(cmd *cobra.Command, argv []string) error {
			args := ops.SettingArgs{JSON: a.json}
			for i, to := range []*string{&args.Name, &args.Value}[:len(argv)] {
				*to = argv[i]
			}
			return a.runOp(cmd, call{op: "settings-" + name, args: args})
		},
	}
}
