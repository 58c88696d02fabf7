package cli

import (
	"fmt"
	"log/slog"
	"os"

	"billd/server"
	"billd/server/ops"
	"billd/server/watch"

	"github.com/spf13/cobra"
)

func newServe(a *app) *cobra.Command {
	var o server.Options
	var logLevel, logFormat string
	var watched []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: REST surfaces, web pages, background jobs",
		Long: "Run the server until SIGTERM or SIGINT: it then finishes what is under way and closes the store.\n" +
			"All other commands work while it runs. --demo fills an empty store with a sample provider.",
		Example: "  billd serve\n  billd serve --demo\n  billd serve --dir /var/lib/billd --http 0.0.0.0:8090",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.logger(logLevel, logFormat)
			if err != nil {
				return err
			}
			for _, s := range watched {
				place, err := watch.Parse(s)
				if err != nil {
					return usageError(err)
				}
				o.Watch = append(o.Watch, place)
			}
			o.Dir, o.Version, o.Banner, o.Log, o.Commands = a.dir, version(), a.out, log, ops.Commands()
			if os.Getenv("GOGC") == "" {
				paceMemory()
			}
			return server.Run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.HTTP, "http", "127.0.0.1:8090", "address to listen on")
	flags.BoolVar(&o.Demo, "demo", false, "fill an empty store with a sample")
	flags.StringSliceVar(&o.TrustedProxy, "trusted-proxy", nil, "proxy addresses whose X-Forwarded-For is believed")
	flags.StringArrayVar(&watched, "watch", nil, "a directory to take files of calls from, again for more: DIR?format=asterisk-csv&zone=Europe/Berlin")
	flags.StringVar(&o.RadiusAccounting, "radius-acct", "", "address to take RADIUS accounting on, such as 0.0.0.0:1813; without it none is taken")
	flags.StringVar(&o.RadiusAccess, "radius-auth", "", "address to answer RADIUS access requests on, such as 0.0.0.0:1812; without it none are answered")
	flags.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&logFormat, "log-format", "text", "text or json")
	setting(flags, "http", "trusted-proxy", "watch", "radius-acct", "radius-auth", "log-level", "log-format")
	return cmd
}

// logger writes to the standard error stream.
func (a *app) logger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError(fmt.Errorf("--log-level %q: want debug, info, warn or error", level))
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(a.errw, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.errw, o)), nil
	}
	return nil, usageError(fmt.Errorf("--log-format %q: want text or json", format))
}
