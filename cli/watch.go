package cli

import (
	"billd/server/ops"
	"billd/server/watch"

	"github.com/spf13/cobra"
)

func newWatch(a *app) *cobra.Command {
	var p watch.Place
	var once bool
	cmd := &cobra.Command{
		Use:   "watch DIR|FILE",
		Short: "Charge the calls of files as they appear",
		Long: "Charge the calls of each file that appears in a directory, as import-cdrs does, until interrupted; `billd serve --watch`\n" +
			"does the same. A file is taken once it stood still for --every, and moved to DIR/done when all of it is committed,\n" +
			"with NAME.rejects beside it when lines of it went to suspense. One that cannot be read goes to DIR/failed with\n" +
			"its NAME.reason. Names that begin with a dot or end in .tmp, .part, .rejects or .reason are left alone.\n\n" +
			"With --tail it is one file that grows, such as Asterisk's Master.csv: its whole lines are taken, and when it is\n" +
			"rotated the rest of the old one first. How far it was taken is kept in the store.\n\n" +
			"A crash reads a file again and doubles nothing: calls that are there are duplicates.",
		Example: "  billd watch /var/spool/cdr --format asterisk-csv --zone Europe/Berlin\n" +
			"  billd watch /var/spool/cdr --once --done delete\n" +
			"  billd watch --tail /var/log/asterisk/cdr-csv/Master.csv --format asterisk-csv",
		Args: want("DIR"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			p.Path = argv[0]
			if err := p.Check(); err != nil {
				return usageError(err)
			}
			log, err := a.logger("info", "text")
			if err != nil {
				return err
			}
			w, err := watch.New(p, watch.Options{Door: a.throughDoor, Log: log, Once: once})
			if err != nil {
				return plain(err)
			}
			sums, err := w.Run(cmd.Context())
			if err == nil && sums[watch.Partly]+sums[watch.Failed] > 0 {
				err = exitCode(ops.ExitPartly)
			}
			return err
		},
	}
	fileFlags(cmd.Flags(), &p.Files)
	cmd.Flags().BoolVar(&p.Tail, "tail", false, "one file that grows and is rotated")
	cmd.Flags().DurationVar(&p.Every, "every", watch.DefaultEvery, "how often to look, and how long a file must stand still")
	cmd.Flags().StringVar(&p.Done, "done", "", "where taken files go: a directory, delete or keep (default DIR/done)")
	cmd.Flags().BoolVar(&once, "once", false, "end when what is there has been taken")
	return cmd
}
