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
		Typed("check", check).Reads(),
		Typed("backup", backup).Reads(),
		Typed("compact", compact).Reads(),
	}
}
