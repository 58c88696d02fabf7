package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// newHelp makes `billd help`: the help of the command that its arguments name.
func newHelp(*app) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command",
		Example:           "  billd help version\n  billd help suspense retry",
		Long:              "Print the help of a command, the same as its --help.",
		ValidArgsFunction: completeCommands,
		RunE: func(cmd *cobra.Command, args []string) error {
			named, rest, err := cmd.Root().Find(args)
			if err == nil {
				err = noSuchCommand(named, rest)
			}
			if err != nil {
				return usageError(err)
			}
			named.InitDefaultHelpFlag() // which cobra makes as late as it runs a command
			return named.Help()
		},
	}
}

// completeCommands completes the names of the commands below those that args name.
func completeCommands(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	named, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, sub := range named.Commands() {
		if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), begun) {
			names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
