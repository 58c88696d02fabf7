package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const defaultDir = "./billd_data"

// group is commands under one heading of `billd help`.
type group struct {
	title    string
	commands []*cobra.Command
}

// groups lists every command.
func (a *app) groups() []group {
	return []group{
		{"Serve:", []*cobra.Command{newServe(a), newAdmin(a), newToken(a), newSwitch(a), newNAS(a)}},
		{"Rates:", []*cobra.Command{newImportRates(a), newUndoImport(a), newImportProfile(a), newExportRates(a), newExplain(a), newRatePlan(a)}},
		{"Calls:", []*cobra.Command{newAuthorize(a), newReservations(a), newGuard(a), newImportCDRs(a), newSource(a), newCDR(a), newWatch(a), newExportCDRs(a), newSuspense(a), newRerate(a), newGaps(a)}},
		{"Data:", []*cobra.Command{newData(a)}},
		{"Invoices:", []*cobra.Command{newInvoice(a), newImportInvoices(a), newExportInvoices(a), newOutbox(a)}},
		{"Accounts:", []*cobra.Command{newImportAccounts(a), newExportAccounts(a)}},
		{"Store:", []*cobra.Command{newSettings(a), newCheck(a), newBackup(a), newRestore(a), newCompact(a)}},
		{"About:", []*cobra.Command{newRoutes(a), newVersion(a)}},
	}
}

// root makes the command tree, with more commands after those of groups.
func (a *app) root(more ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "billd",
		Short: "Telecom billing: rates, CDRs, balances and invoices in one server",
		Long: "billd prices calls, keeps balances and makes invoices, in one server with one store.\n\n" +
			"Commands speak to the server that runs on --dir, or open the store themselves when none does.\n" +
			"A setting comes from its flag, else BILLD_<FLAG> (or the file that BILLD_<FLAG>_FILE names), else\n" +
			"billd.toml in the data directory or " + machineConfig + ", else the default.\n\n" +
			"Exit codes: 0 ok, 1 failed, 2 usage, 3 partly done, 4 check found faults,\n" +
			"11 store held and nobody answers, 130 interrupted.",
		Example:       "  billd serve\n  billd import-rates deck.csv\n  billd explain 442079460000 61",
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.errw)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&a.dir, "dir", defaultDir, "data directory")
	flags.StringVar(&a.config, "config", "", "configuration file")
	flags.BoolVar(&a.json, "json", false, "print data as JSON")
	setting(flags, "dir")
	flags.Lookup("config").Usage += envNote("config")
	root.SetHelpCommand(newHelp(a))
	for i, g := range a.groups() {
		id := fmt.Sprint(i)
		root.AddGroup(&cobra.Group{ID: id, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = id
			root.AddCommand(cmd)
		}
		root.SetHelpCommandGroupID(id) // the last group is the one about billd itself
		root.SetCompletionCommandGroupID(id)
	}
	root.AddCommand(more...)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	a.finish(root)
	return root
}

// noSuchCommand refuses the arguments of a command that only has subcommands.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	msg := fmt.Sprintf("%s: no command %q", cmd.CommandPath(), args[0])
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		msg += fmt.Sprintf(", did you mean %s?", strings.Join(near, " or "))
	}
	return fmt.Errorf("%s", msg)
}

// newFamily makes a command that only has subcommands: asked for without one it says which there are.
func newFamily(name, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: noSuchCommand}
	names := make([]string, len(subs))
	for i, sub := range subs {
		names[i] = sub.Name()
	}
	cmd.Example = subs[0].Example
	cmd.AddCommand(subs...)
	cmd.RunE = func(*cobra.Command, []string) error {
		return usageError(fmt.Errorf("%s: want one of %s", name, strings.Join(names, ", ")))
	}
	return cmd
}

// finish completes what cobra made itself, and hangs configuration and the mark of a begun command on all.
func (a *app) finish(root *cobra.Command) {
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if standsAlone(cmd) {
			return nil
		}
		return a.configure(cmd)
	}
	for cmd := range all(root) {
		if cmd.Example == "" && cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
			cmd.Example = "  billd completion " + cmd.Name() + " > billd." + cmd.Name()
		}
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				a.running = true
				return run(cmd, args)
			}
		}
	}
	if cmd, _, err := root.Find([]string{"completion"}); err == nil {
		cmd.Example = "  billd completion bash > /etc/bash_completion.d/billd"
	}
}

// standsAlone reports whether a command, or the one it belongs to, tells of the binary alone: it has no
// settings, and a broken configuration does not stop it.
func standsAlone(cmd *cobra.Command) bool {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	switch cmd.Name() {
	case "version", "help", "completion", "routes", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return true
	}
	return !cmd.HasParent() // billd alone prints its help
}

// all walks a command and those below it.
func all(cmd *cobra.Command) func(yield func(*cobra.Command) bool) {
	return func(yield func(*cobra.Command) bool) { walk(cmd, yield) }
}

func walk(cmd *cobra.Command, yield func(*cobra.Command) bool) bool {
	if !yield(cmd) {
		return false
	}
	for _, sub := range cmd.Commands() {
		if !walk(sub, yield) {
			return false
		}
	}
	return true
}
