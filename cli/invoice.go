package cli

import (
	"errors"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newInvoice(a *app) *cobra.Command {
	return newFamily("invoice", "Make and approve invoices: run, list, show, approve, pdf",
		newInvoiceRange(a, "run", "Make the invoices that are due, or one by hand",
			"Make every invoice whose period and longest call are over, as the server does each minute. With --account, --from\nand --to make one by hand for that period; dates are midnight in the account's zone.",
			"  billd invoice run\n  billd invoice run --account Northfield --from 2026-10-01 --to 2026-11-01"),
		newInvoiceRange(a, "list", "List invoices", "List invoices, those of an account or those whose period touches [from, to).", "  billd invoice list --account Northfield"),
		newInvoiceOne(a, "show", "Show an invoice with its lines", "  billd invoice show 7"),
		newInvoiceOne(a, "approve", "Make a filled invoice final: it gets its number and the customer sees it", "  billd invoice approve 7"),
		newInvoicePDF(a))
}

func newInvoicePDF(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "pdf ID FILE|-", Short: "Write an invoice's PDF to a file or to standard output",
		Long:    "Write an invoice's PDF. Before approval it is a draft of the figures as they are now; the one that was approved is kept\nand stays the same.",
		Example: "  billd invoice pdf 7 invoice-7.pdf\n  billd invoice pdf 7 - | lpr", Args: want("ID", "FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			id, err := number("ID", argv[0])
			if err != nil {
				return err
			}
			if argv[1] == "-" && isTerminal(a.out) {
				return usageError(errors.New("standard output is a terminal: name a file, or pipe it on"))
			}
			return a.runOpTo(cmd, "invoice-pdf", argv[1], ops.InvoicePDFArgs{ID: id})
		},
	}
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
