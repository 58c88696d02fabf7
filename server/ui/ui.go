package ui

import (
	"bytes"
	"crypto/rand"
	"html/template"
	"log/slog"

	"billd/server/ops"
	"billd/storage"
	"billd/web"

	"github.com/gofiber/fiber/v2"
)

// Options are what the console works with. All are required.
type Options struct {
	DB     *storage.DB
	Access *ops.Access
	Env    *ops.Env
	Log    *slog.Logger
}

// UI serves the console.
type UI struct {
	Options
	pages  map[string]*template.Template
	assets string   // the version in the static files' addresses
	key    [32]byte // signs form tokens; a restart makes another, and open forms are loaded again
}

// New makes the console.
func New(o Options) *UI {
	u := &UI{Options: o, pages: web.Pages(functions()), assets: web.Version()}
	rand.Read(u.key[:]) // never fails, by its documentation
	return u
}

// Mount hangs the console's routes on app.
func (u *UI) Mount(app *fiber.App) {
	app.Get("/static/:version/:name", u.static)
	app.Get("/login", u.open(u.loginForm))
	app.Post("/login", u.open(u.login))
	app.Post("/logout", u.signedIn(u.logout))
	app.Get("/setup", u.open(u.setupForm))
	app.Post("/setup", u.open(u.setup))
	app.Get("/", u.signedIn(u.dashboard))
	app.Get("/accounts", u.signedIn(u.accounts))
	app.Get("/accounts/:id", u.signedIn(u.account))
	app.Get("/rates", u.signedIn(u.rates))
	app.Get("/cdrs", u.signedIn(u.cdrs))
	app.Get("/cdrs/:id", u.signedIn(u.cdr))
	app.Get("/cdrs/:id/explain", u.signedIn(u.explainedCall))
	app.Get("/suspense", u.signedIn(u.suspense))
	app.Get("/suspense/:id", u.signedIn(u.explainedHeld))
	app.Get("/data", u.signedIn(u.data))
	app.Get("/reservations", u.signedIn(u.reservations))
	app.Post("/reservations/:id/release", u.signedIn(u.release))
	app.Get("/guard", u.signedIn(u.guard))
	app.Post("/guard/:id/unblock", u.signedIn(u.unblock))
	app.Get("/switches", u.signedIn(u.switches))
	app.Post("/switches", u.signedIn(u.addSwitch))
	app.Post("/switches/:name/renew", u.signedIn(u.renewSwitch))
	app.Post("/switches/:name/delete", u.signedIn(u.deleteSwitch))
	app.Get("/radius", u.signedIn(u.radius))
	app.Post("/radius", u.signedIn(u.addNAS))
	app.Post("/radius/:name/delete", u.signedIn(u.deleteNAS))
	app.Get("/invoices", u.signedIn(u.invoices))
	app.Get("/invoices/:id", u.signedIn(u.invoice))
}

// page is what every template is given.
type page struct {
	Title    string
	Nav      string // the section that the header marks
	Operator string // who is signed in, "" for nobody
	Form     string // token of this page's forms
	Assets   string
	Version  string
	Data     any
}

// render answers with a page. Nothing is sent before the whole page is made.
func (u *UI) render(c *fiber.Ctx, s *session, name string, p page) error {
	p.Operator, p.Form, p.Assets, p.Version = s.Login, s.Form, u.assets, u.Env.Version
	var b bytes.Buffer
	if err := u.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		return err
	}
	protect(c)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(b.Bytes())
}

// policy lets a page load our own files and nothing else, and run nothing inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// protect sets the headers that keep a page to itself.
func protect(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the setup link carries a secret
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// static serves an embedded file. Its address names its content, so browsers keep it.
func (u *UI) static(c *fiber.Ctx) error {
	body, mediaType, ok := web.Asset(c.Params("name"))
	if !ok || c.Params("version") != u.assets {
		return c.SendStatus(fiber.StatusNotFound)
	}
	c.Set(fiber.HeaderContentType, mediaType)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Send(body)
}
