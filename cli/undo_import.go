package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newUndoImport(a *app) *cobra.Command {
	var args ops.UndoImportArgs
	cmd := &cobra.Command{
		Use:   "undo-import",
		Short: "Undo the last import of a rate deck",
		Long: "Put a rate deck back to exactly what it was before its last import: the rates that the import added go, those\n" +
			"that it ended end as they did before. It is refused when a rate of the deck was changed since, because that\n" +
			"would be lost, and it cannot be done twice. Calls that were charged meanwhile keep their prices until they\n" +
			"are rerated, see billd rerate.",
		Example: "  billd undo-import --deck carrier --dry-run\n  billd undo-import --deck carrier",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "undo-import", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Deck, "deck", "default", "deck")
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "say what would be undone, and do nothing")
	return cmd
}
