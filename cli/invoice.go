package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newInvoice(a *app) *cobra.Command {
	return newFamily("invoice", "Make and approve invoices: run, list, show, approve",
		newInvoiceRange(a, "run", "Make the invoices that are due, or one by hand",
			"Make every invoice whose period and longest call are over, as the server does each minute. With --account, --from\nand --to make one by hand for that period; dates are midnight in the account's zone.",
			"  billd invoice run\n  billd invoice run --account Northfield --from 2026-10-01 --to 2026-11-01"),
		newInvoiceRange(a, "list", "List invoices", "List invoices, those of an account or those whose period touches [from, to).", "  billd invoice list --account Northfield"),
		newInvoiceOne(a, "show", "Show an invoice with its lines", "  billd invoice show 7"),
		newInvoiceOne(a, "approve", "Make a filled invoice final: it gets its number and the customer sees it", "  billd invoice approve 7"))
}

func newInvoiceRange(a *app, name, short, long, example string) *cobra.Command {
	var args ops.InvoiceArgs
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Example: example, Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "invoice-" + name, args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Account, "account", "", "account: number, UUID or name")
	f.StringVar(&args.From, "from", "", "start of the period, a date or an instant")
	f.StringVar(&args.To, "to", "", "end of the period, which is not in it")
	return cmd
}

func newInvoiceOne(a *app, name, short, example string) *cobra.Command {
	return &cobra.Command{
		Use: name + " ID", Short: short, Example: example, Args: want("ID"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			id, err := number("ID", argv[0])
			if err != nil {
				return err
			}
			return a.runOp(cmd, call{op: "invoice-" + name, args: ops.InvoiceArgs{ID: id, JSON: a.json}})
		},
	}
}
