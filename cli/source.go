package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newSource(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List source profiles", Example: "  billd source list", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "source-list", args: ops.SourceArgs{JSON: a.json}})
		},
	}
	one := func(name, short string) *cobra.Command {
		return &cobra.Command{
			Use: name + " NAME", Short: short, Example: "  billd source " + name + " gw1", Args: want("NAME"),
			RunE: func(cmd *cobra.Command, argv []string) error {
				return a.runOp(cmd, call{op: "source-" + name, args: ops.SourceArgs{Name: argv[0], JSON: a.json}})
			},
		}
	}
	family := newFamily("source", "Keep how a switch's calls are read and who pays: add, set, show, list, test, delete", list,
		newChangeSource(a, "add", "Add a source profile"), newChangeSource(a, "set", "Change fields of a source profile"),
		one("show", "Show a source profile"), newTestSource(a), one("delete", "Delete a source profile"))
	family.Long = "A source profile keeps, under the name that calls have as their source, how records are read and by which rules they\n" +
		"are charged. import-cdrs, watch and the addresses that switches post to take it by --source or ?source=.\n\n" +
		"Rules for numbers are tried in order, each on what the last one made; LENGTHS, as 7 or 7-9, are digits of the number:\n" +
		"  digits                          all but digits, * and #, and a + in front, goes\n" +
		"  strip PREFIX [LENGTHS]          the prefix goes\n" +
		"  prepend DIGITS [LENGTHS]        digits come in front\n" +
		"  replace PREFIX DIGITS [LENGTHS] one becomes the other\n" +
		"  keep PREFIX [LENGTHS]           the number is whole: no later rule is tried\n" +
		"  international PREFIX            a number in full: the prefix goes, no later rule is tried\n" +
		"  national PREFIX CODE [LENGTHS]  the prefix becomes the country's code, no later rule is tried\n" +
		"  local CODE LENGTHS              code comes in front, no later rule is tried\n" +
		"  country CC                      digits, then +, the way to dial abroad and national numbers of DE, GB, US …\n\n" +
		"Rules of who pays are tried in order; without any it is the account that the record names, else the customers-auths:\n" +
		"  account                         the account that the record names; one that does not exist pays for nothing\n" +
		"  known account                   the account that the record names, where it is one\n" +
		"  code CODE = ACCOUNT             the record's account code\n" +
		"  ip NETWORK = ACCOUNT            where the call comes from\n" +
		"  caller PREFIX = ACCOUNT, called PREFIX = ACCOUNT   the numbers as the rules made them\n" +
		"  gateway NAME = ACCOUNT          the trunk\n" +
		"  auths                           the customers-auths\n" +
		"  all = ACCOUNT\n\n" +
		"A change counts for calls that come from then on, and for those in suspense when they are tried again."
	return family
}

// newChangeSource makes add and set: a flag for each field of a profile.
func newChangeSource(a *app, name, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: name + " NAME", Short: short, Args: want("NAME"),
		Example: "  billd source " + name + " pbx --format asterisk-csv --zone Europe/Berlin --called 'country DE' --pay account\n" +
			"  billd source " + name + " gw1 --format freeswitch-json --called 'country GB' --pay 'ip 192.0.2.0/24 = acme' --pay auths\n" +
			"  billd source " + name + " odd --format csv --map When=time_start,From=src,To=dst,Secs=duration --skip 'State=test'",
		RunE: func(cmd *cobra.Command, argv []string) error {
			args := ops.SourceArgs{Name: argv[0], Set: map[string][]string{}, JSON: a.json}
			for _, f := range ops.SourceFields() {
				if !cmd.Flags().Changed(f.Name) {
					continue
				}
				values, err := cmd.Flags().GetStringArray(f.Name)
				if err != nil {
					return err
				}
				args.Set[f.Name] = values
				if f.Name == "map" || f.Name == "columns" {
					args.Set[f.Name] = splitCommas(values)
				}
				if len(values) == 1 && values[0] == "" {
					args.Set[f.Name] = []string{}
				}
			}
			return a.runOp(cmd, call{op: "source-" + name, args: args})
		},
	}
	for _, f := range ops.SourceFields() {
		what := f.What
		if f.List {
			what += " (several: again)"
		}
		cmd.Flags().StringArray(f.Name, nil, what)
	}
	return cmd
}
