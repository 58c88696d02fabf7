package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newImportProfile(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List import profiles", Example: "  billd import-profile list", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "import-profile-list", args: ops.ImportProfileArgs{JSON: a.json}})
		},
	}
	one := func(name, short string) *cobra.Command {
		return &cobra.Command{
			Use: name + " NAME", Short: short, Example: "  billd import-profile " + name + " acme", Args: want("NAME"),
			RunE: func(cmd *cobra.Command, argv []string) error {
				return a.runOp(cmd, call{op: "import-profile-" + name, args: ops.ImportProfileArgs{Name: argv[0], JSON: a.json}})
			},
		}
	}
	family := newFamily("import-profile", "Keep how a carrier's price lists are read: list, show, save, delete", list,
		one("show", "Show an import profile"), newSaveProfile(a), one("delete", "Delete an import profile"))
	family.Long = "A profile keeps, under a carrier's name, what import-rates would have to be told at every list: deck, mode,\n" +
		"columns, dates, prefix rules. What import-rates is told beside --profile goes before what the profile says."
	return family
}

func newSaveProfile(a *app) *cobra.Command {
	var args ops.ImportProfileArgs
	var columns []string
	cmd := &cobra.Command{
		Use: "save NAME", Short: "Save an import profile, in place of the one of that name", Args: want("NAME"),
		Long: "Save an import profile, in place of the one of that name. Mode replace is for carriers that send the full list\n" +
			"each time, merge for those that send what changes.",
		Example: "  billd import-profile save acme --deck acme --vendor 7 --mode merge --dates dmy --strip 011\n" +
			"  billd import-profile save odd --map 'Dest No=prefix' --map 'Peak=price' --increment 60/1",
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			args.Name, args.JSON = argv[0], a.json
			if args.Rates.Columns, err = columnMap(columns); err != nil {
				return err
			}
			return a.runOp(cmd, call{op: "import-profile-save", args: args})
		},
	}
	listFlags(cmd.Flags(), &args.Rates, &columns)
	return cmd
}
