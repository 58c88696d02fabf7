package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"billd/server/control"
	"billd/server/courier"
	"billd/server/ops"
	"billd/server/radius"
	"billd/server/watch"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// Limits of the HTTP door. Every one is finite: an idle or slow client holds a connection, never the
// server.
const (
	readBuffer   = 32 << 10 // the whole request head; JSON:API filters and tokens are long
	bodyLimit    = 8_000_000
	readTimeout  = 60 * time.Second
	writeTimeout = 120 * time.Second
	idleTimeout  = 120 * time.Second
	connections  = 2 * mostGuests // the gate lets in fewer; who was turned out is still on its way out
	stopTimeout  = 20 * time.Second
)

// Options say what to serve. Dir and HTTP are required.
type Options struct {
	Dir          string
	HTTP         string // host:port
	Demo         bool   // fill an empty store with a sample
	Version      string
	TrustedProxy []string      // addresses whose X-Forwarded-For is believed
	Watch        []watch.Place // where files of calls appear
	Banner       io.Writer
	Log          *slog.Logger
	Commands     []ops.Command // what the unix socket offers

	RadiusAccounting, RadiusAccess string // host:port, "" for not at all
}

// Server is billd running on one data directory.
type Server struct {
	o       Options
	db      *storage.DB
	env     *ops.Env
	queue   *storage.Ingest
	app     *fiber.App
	gate    *gate
	control *control.Server
	metrics *metrics
	jobs    *jobs
	watches *watches
	radius  *radius.Server
	listed  []Route // of the dialects that route by tables of their own
	started time.Time
}

// Run serves until ctx is done, then finishes what is under way, closes the store and returns nil.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Banner == nil {
		o.Banner = io.Discard
	}
	s := &Server{o: o, started: time.Now()}
	ln, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer s.db.Close()
	if ln != nil {
		defer ln.Close() // once more after the app has, if it came to that
	}
	return s.run(ctx, ln)
}

// run serves on the open store; ln is nil if nobody listens yet.
func (s *Server) run(ctx context.Context, ln net.Listener) error {
	// work that has begun outlives the signal that ends the server
	work := context.WithoutCancel(ctx)
	access, err := ops.OpenAccess(work, s.o.Dir, s.db)
	if err != nil {
		return err
	}
	s.queue = storage.NewIngest(s.db)
	defer s.queue.Stop()
	auths := storage.NewAuthQueue(s.db)
	defer auths.Stop()
	s.env = &ops.Env{DB: s.db, Dir: s.o.Dir, Version: s.o.Version, Actor: "server", Log: s.o.Log, Access: access, Queue: s.queue, Auths: auths,
		Courier: courier.New(courier.Options{Agent: "billd/" + s.o.Version})}
	s.metrics = newMetrics(s)
	if s.watches, err = newWatches(s); err != nil {
		return err
	}
	if ln == nil {
		if ln, err = listen(s.o.HTTP); err != nil {
			return err
		}
	}
	s.gate = newGate(ln, min(mostGuests, max(openFiles()/2, fewestGuests)), s.o.Log)
	ln = s.gate
	if s.app, err = s.newApp(); err != nil {
		ln.Close()
		return err
	}
	if err = s.listenRadius(); err != nil {
		ln.Close()
		return err
	}
	defer s.radius.Stop()
	if s.control, err = control.Listen(control.Options{Env: s.env, Commands: s.o.Commands}); err != nil {
		ln.Close()
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- s.control.Serve() }()
	if err := s.greet(ctx, ln.Addr()); err != nil {
		ln.Close()
		return errors.Join(err, s.control.Shutdown(work))
	}
	s.jobs = startJobs(work, s)
	s.watches.start(work)
	s.radius.Serve(work)
	go func() { failed <- s.app.Listener(ln) }()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	return errors.Join(err, s.stop())
}

// stop ends the doors first, then the work behind them.
func (s *Server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.app.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.o.Log.Warn("some requests did not end in time")
		err = nil
	}
	err = errors.Join(err, s.control.Shutdown(ctx))
	s.watches.stop()
	s.radius.Stop()
	s.jobs.stop()
	return err
}

// selfService is what serve says while accounts may credit themselves: Kazoo's API has it so, and no
// payment gateway asks for the money.
const selfService = "  note  accounts can credit themselves: Kazoo's services/topup takes their word that they paid.\n" +
	"        To leave that to their resellers and you: billd settings set topup.self_service false\n"

// greet fills a demo store and prints where billd answers.
func (s *Server) greet(ctx context.Context, addr net.Addr) error {
	url := "http://" + addr.String()
	if s.o.Demo {
		if err := ops.FillDemo(ctx, s.env, s.o.Banner); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.o.Banner, "billd %s\n  URL   %s\n  data  %s\n", s.o.Version, url, s.o.Dir)
	s.greetRadius(s.o.Banner)
	if !s.db.Settings().TopUpBySeller {
		fmt.Fprint(s.o.Banner, selfService)
	}
	var operators int
	err := s.db.View(ctx, func(tx *storage.Tx) error {
		operators = tx.Operators.Count()
		return nil
	})
	if err == nil && operators == 0 {
		token, ends := s.env.Access.Setup.Issue()
		fmt.Fprintf(s.o.Banner, "  setup %s/setup?token=%s\n        (once, until %s; or: billd admin create LOGIN)\n", url, token, ends.Local().Format("15:04"))
	}
	return err
}

// newApp makes the fiber app with every surface mounted, and first before them.
func (s *Server) newApp(first ...fiber.Handler) (*fiber.App, error) {
	app := fiber.New(fiber.Config{
		Immutable:         true, // fiber reuses request memory; without it kept strings change
		CaseSensitive:     true,
		UnescapePath:      true,
		ReadBufferSize:    readBuffer,
		BodyLimit:         bodyLimit,
		StreamRequestBody: true,

		// a form would otherwise be read whole before anybody has asked who sends it
		DisablePreParseMultipartForm: true,

		ReadTimeout:             readTimeout,
		WriteTimeout:            writeTimeout,
		IdleTimeout:             idleTimeout,
		Concurrency:             connections,
		DisableStartupMessage:   true,
		Network:                 "tcp",
		ServerHeader:            "billd",
		EnableTrustedProxyCheck: true,
		TrustedProxies:          s.o.TrustedProxy,
		ProxyHeader:             fiber.HeaderXForwardedFor,
		ErrorHandler:            plainError,
	})
	for _, h := range first {
		app.Use(h)
	}
	return app, s.mount(app)
}

// plainError answers for paths that belong to no surface, and for requests too broken to reach one.
func plainError(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	var f *fiber.Error
	if errors.As(err, &f) {
		status = f.Code
	}
	return c.Status(status).JSON(fiber.Map{"error": fiber.Map{"status": status, "message": httpText(status)}})
}
