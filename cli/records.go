package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newImportAccounts(a *app) *cobra.Command {
	return newImportRecords(a, "import-accounts", "Make the accounts of a file",
		"Make the accounts of a CSV file with a header, or of JSON: name, contractor, vat, currency, balance, timezone,\n"+
			"min_balance, invoice_period … A contractor that does not exist is made. The balance is posted as the opening one.\n\n"+
			"An account that is there already, by its UUID or else its name, is left alone; where the file says otherwise it is\n"+
			"reported and the exit code is 3. All that can be taken is taken in one transaction.",
		"  billd import-accounts customers.csv\n  billd import-accounts accounts.json")
}

func newImportInvoices(a *app) *cobra.Command {
	return newImportRecords(a, "import-invoices", "Take in invoices of another system",
		"Take in finished invoices of another system with their lines, as CSV or JSON: account_id, start_date, end_date, state,\n"+
			"invoice_type, reference, amount_spent, originated_destinations (rows as JSON), pdf … They are history: nothing is\n"+
			"posted, and what they say stays as it is. An invoice with a UUID that is there is left alone.",
		"  billd import-invoices invoices.json")
}

func newImportRecords(a *app, name, short, long, example string) *cobra.Command {
	var args ops.ImportArgs
	cmd := &cobra.Command{
		Use: name + " FILE|-", Short: short, Long: long, Example: example, Args: want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOpFrom(cmd, name, argv[0], func(in ops.Input) any {
				args.Input, args.JSON = in, a.json
				return args
			})
		},
	}
	cmd.Flags().StringVar(&args.Format, "format", "auto", "auto, csv or json")
	return cmd
}

func newExportAccounts(a *app) *cobra.Command {
	return newExportRecords(a, "export-accounts", "Write all accounts to standard output",
		"Write all accounts with all their fields and balances, closed ones too. Secrets are not in it: imported accounts get\nnew API keys.")
}

func newExportInvoices(a *app) *cobra.Command {
	return newExportRecords(a, "export-invoices", "Write all invoices to standard output", "Write all invoices with their lines and papers.")
}

func newExportRecords(a *app, name, short, long string) *cobra.Command {
	var args ops.ExportArgs
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Example: "  billd " + name + " --format json > " + name[len("export-"):] + ".json", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.Format = a.exportFormat(cmd, args.Format)
			return a.runOp(cmd, call{op: name, args: args})
		},
	}
	cmd.Flags().StringVar(&args.Format, "format", "csv", "csv or json")
	return cmd
}
