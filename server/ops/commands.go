package ops

// Commands lists every command that both doors offer.
func Commands() []Command {
	return []Command{
		Typed("admin-create", createOperator),
		Typed("admin-passwd", setOperatorPassword),
		Typed("admin-delete", deleteOperator),
		Typed("admin-list", listOperators).Reads(),
		Typed("token", issueToken).Reads(),
		Typed("import-rates", importRates),
		Typed("export-rates", exportRates).Reads(),
		Typed("explain", explain).Reads(),
		Typed("rateplan-list", listRatePlans).Reads(),
		Typed("rateplan-attach", attachRatePlan),
		Typed("rateplan-detach", detachRatePlan),
		Typed("import-accounts", importAccounts),
		Typed("export-accounts", exportAccounts).Reads(),
		Typed("import-invoices", importInvoices),
		Typed("export-invoices", exportInvoices).Reads(),
		Typed("import-cdrs", importCDRs),
		Typed("export-cdrs", exportCDRs).Reads(),
		Typed("suspense-list", listSuspense).Reads(),
		Typed("suspense-show", showSuspense).Reads(),
		Typed("suspense-edit", editSuspense),
		Typed("suspense-retry", retrySuspense),
		Typed("suspense-drop", dropSuspense),
		Typed("rerate", rerate),
		Typed("invoice-run", runInvoices),
		Typed("invoice-list", listInvoices).Reads(),
		Typed("invoice-show", showInvoice).Reads(),
		Typed("invoice-approve", approveInvoice),
		Typed("check", check).Reads(),
		Typed("backup", backup).Reads(),
		Typed("compact", compact).Reads(),
	}
}
