package jsonapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// MediaType is the only one that documents have.
const MediaType = "application/vnd.api+json"

// maxBody bounds a request document; Yeti's largest, with every list attribute full, is far below.
const maxBody = 1 << 20

// Config is what an API is made of.
type Config struct {
	DB        *storage.DB
	Base      string // path of the API, without a slash at its end: "/api/rest/admin"
	Resources []Declared
	Routes    []Route
	// Authenticate says who asks. Its error is the answer: Problems or Blank.
	Authenticate func(c *fiber.Ctx) (Caller, error)
	// ReadOnly leaves out every write below /relationships/.
	ReadOnly bool
	Log      *slog.Logger // of faults; nil is slog.Default
}

// Route is an endpoint beside the resources. It asks for a caller as they do.
type Route struct {
	Method string
	Path   string // below the base, without a slash in front; "files/*" is everything below files
	Serve  func(r *Request, c *fiber.Ctx) error
}

// API serves resources below one path.
type API struct {
	Config
	types map[string]*resource // by the name on the wire
	paths map[string]*resource // by the first segment, or "accounts/:id/balance"
}

// New resolves the names by which resources refer to one another.
// Fails if a name is unknown, or declared twice.
func New(cfg Config) (*API, error) {
	api := &API{Config: cfg, types: map[string]*resource{}, paths: map[string]*resource{}}
	if api.Log == nil {
		api.Log = slog.Default()
	}
	for _, declared := range cfg.Resources {
		d, err := declared.erase()
		if err != nil {
			return nil, err
		}
		if api.types[d.typ] != nil {
			return nil, fmt.Errorf("jsonapi: %s is declared twice", d.typ)
		}
		api.types[d.typ] = d
		for _, path := range d.paths {
			if api.paths[path] != nil {
				return nil, fmt.Errorf("jsonapi: path %s is declared twice", path)
			}
			api.paths[path] = d
		}
	}
	for _, d := range api.types {
		for _, rl := range d.rels {
			if known := api.types[rl.typ] != nil; known == rl.opts.absent {
				return nil, fmt.Errorf("jsonapi: %s.%s: type %s served: %t, declared absent: %t", d.typ, rl.name, rl.typ, known, rl.opts.absent)
			}
		}
	}
	return api, nil
}

// call is one request on its way through the checks.
type call struct {
	api  *API
	c    *fiber.Ctx
	ctx  context.Context
	who  Caller
	d    *resource
	id   string
	rl   *rel
	path string // below the base, as sent
}

// Serve answers one request below the base.
func (api *API) Serve(c *fiber.Ctx) error {
	start := time.Now()
	Headers(c)
	if err := api.serve(c); err != nil {
		api.refuse(c, err)
	}
	c.Set("X-Runtime", strconv.FormatFloat(time.Since(start).Seconds(), 'f', 6, 64))
	return nil
}

// Headers sets what every answer of the dialect carries, documents or not.
func Headers(c *fiber.Ctx) {
	c.Set("X-Frame-Options", "SAMEORIGIN")
	c.Set("X-Xss-Protection", "0")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Permitted-Cross-Domain-Policies", "none")
	c.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	c.Set("X-Request-Id", requestID(c.Get("X-Request-Id")))
}

// requestID keeps the id that a client sent, cleaned, or makes one.
func requestID(sent string) string {
	id := strings.Map(func(r rune) rune {
		if r == '-' || r == '@' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, sent)
	if id = id[:min(len(id), 255)]; id != "" {
		return id
	}
	return rating.NewUUID(time.Now()).String()
}

// refuse writes the answer to a request that err ended.
func (api *API) refuse(c *fiber.Ctx, err error) {
	c.Set("Cache-Control", "no-cache")
	var blank Blank
	if errors.As(err, &blank) {
		c.Status(int(blank)).Set("Content-Type", "text/html; charset=UTF-8")
		c.Response().ResetBody()
		return
	}
	ps := asProblems(err)
	if ps[0].Status >= 500 {
		api.Log.Error("request failed", "method", c.Method(), "path", c.Path(), "error", err)
	}
	c.Status(ps[0].Status).Response().SetBodyRaw(ps.append(nil))
	c.Set("Content-Type", MediaType)
}

// ErrorHandler answers what fiber refuses before Serve is reached, and panics that were caught.
func (api *API) ErrorHandler(c *fiber.Ctx, err error) error {
	var fe *fiber.Error
	switch {
	case !errors.As(err, &fe):
		api.refuse(c, err)
	case fe.Code == fiber.StatusNotFound || fe.Code == fiber.StatusMethodNotAllowed:
		api.refuse(c, NoRoute)
	default:
		api.refuse(c, problem(fe.Code, strconv.Itoa(fe.Code), fe.Message, fe.Message))
	}
	return nil
}

func (api *API) serve(c *fiber.Ctx) error {
	k := &call{api: api, c: c}
	handle := k.route(c.Method(), strings.TrimPrefix(string(c.Request().URI().PathOriginal()), api.Base))
	if handle == nil {
		return NoRoute
	}
	var err error
	if k.who, err = api.Authenticate(c); err != nil {
		return err
	}
	k.ctx = storage.As(c.UserContext(), k.who.Name)
	return handle(k)
}

// route finds the handler of a path and method; nil when there is none.
func (k *call) route(method, path string) func(*call) error {
	if method == fiber.MethodHead {
		method = fiber.MethodGet
	}
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	path = strings.TrimSuffix(path, ".json")
	k.path = path
	for _, rt := range k.api.Routes {
		if method == rt.Method && (rt.Path == path || strings.HasSuffix(rt.Path, "/*") && strings.HasPrefix(path, rt.Path[:len(rt.Path)-1])) {
			return func(k *call) error {
				return k.view(func(r *Request) error { return rt.Serve(r, k.c) })
			}
		}
	}
	seg := strings.Split(path, "/")
	for i, s := range seg {
		text, err := url.PathUnescape(s)
		if err != nil || text == "" || strings.IndexByte(text, 0) >= 0 {
			return nil
		}
		seg[i] = text
	}
	if len(seg) == 3 {
		if d := k.api.paths[seg[0]+"/:id/"+seg[2]]; d != nil {
			k.d, k.id = d, seg[1]
			return k.d.member(method)
		}
	}
	k.d = k.api.paths[seg[0]]
	if k.d == nil || len(seg) > 4 {
		return nil
	}
	if len(seg) == 1 {
		return k.d.collection(method)
	}
	k.id = seg[1]
	if k.d.id == UUIDID {
		if !k.d.id.plausible(k.id) {
			return nil
		}
		k.id = strings.ToLower(k.id)
	}
	if len(seg) == 2 {
		return k.d.member(method)
	}
	return k.routeBelow(method, seg[2:])
}

func (d *resource) collection(method string) func(*call) error {
	switch {
	case method == fiber.MethodGet && d.verbs&List != 0:
		return (*call).list
	case method == fiber.MethodPost && d.verbs&Create != 0:
		return (*call).create
	}
	return nil
}

func (d *resource) member(method string) func(*call) error {
	switch {
	case method == fiber.MethodGet && d.verbs&Show != 0:
		return (*call).show
	case (method == fiber.MethodPatch || method == fiber.MethodPut) && d.verbs&Update != 0:
		return (*call).update
	case method == fiber.MethodDelete && d.verbs&Delete != 0:
		return (*call).delete
	}
	return nil
}

// routeBelow finds the handler of what lies below a record: a relationship, its linkage, an action.
func (k *call) routeBelow(method string, seg []string) func(*call) error {
	name := seg[len(seg)-1]
	k.rl = k.d.rel(name)
	switch {
	case len(seg) == 1 && method == fiber.MethodGet && k.d.actions[name] != nil:
		return (*call).action
	case k.rl == nil || len(seg) == 2 && seg[0] != "relationships":
		return nil
	case len(seg) == 1 && method == fiber.MethodGet:
		return (*call).related
	case len(seg) == 1:
		return nil
	case method == fiber.MethodGet:
		return (*call).showLinkage
	case k.api.ReadOnly || k.d.verbs&Update == 0 || !k.rl.writable(false):
		return nil
	case method == fiber.MethodPatch || method == fiber.MethodPut:
		return (*call).setLinkage
	case method == fiber.MethodDelete:
		return (*call).dropLinkage
	case method == fiber.MethodPost && k.rl.many:
		return (*call).addLinkage
	}
	return nil
}

// base returns the start of every link.
func (k *call) base() string { return k.c.BaseURL() + k.api.Base }

// view runs fn on one state of the store.
func (k *call) view(fn func(*Request) error) error {
	return k.api.DB.View(k.ctx, func(tx *storage.Tx) error {
		return fn(&Request{Context: k.ctx, Tx: tx, Scope: k.who.Scope})
	})
}

// change runs fn in one transaction that is kept when fn and all computed values succeed.
func (k *call) change(fn func(*Request) error) error {
	err := k.api.DB.Update(k.ctx, func(tx *storage.Tx) error {
		r := &Request{Context: k.ctx, Tx: tx, Scope: k.who.Scope}
		if err := fn(r); err != nil {
			return err
		}
		return r.err
	})
	if err == nil && k.d.done != nil {
		k.d.done()
	}
	return err
}

// accepts checks the Accept header.
func (k *call) accepts() error {
	accept := k.c.Get("Accept")
	if strings.TrimSpace(accept) == "" {
		return nil
	}
	for entry := range strings.SplitSeq(accept, ",") {
		entry = strings.TrimSpace(entry)
		if entry == MediaType || strings.HasPrefix(entry, "*/*") {
			return nil
		}
	}
	return problem(406, "406", "Not acceptable", "All requests must use the '"+MediaType+
		"' Accept without media type parameters. This request specified '"+clip(accept)+"'.")
}

// mediaType checks the Content-Type of a request that writes.
func (k *call) mediaType() error {
	sent, _, _ := strings.Cut(k.c.Get("Content-Type"), ";")
	if sent = strings.TrimSpace(sent); strings.EqualFold(sent, MediaType) {
		return nil
	}
	return problem(415, "415", "Unsupported media type", "All requests that create or update must use the '"+MediaType+
		"' Content-Type. This request specified '"+clip(sent)+"'.")
}

// params checks Accept and takes the query apart.
func (k *call) params() (*params, error) {
	if err := k.accepts(); err != nil {
		return nil, err
	}
	return parseParams(string(k.c.Request().URI().QueryString()))
}

// body reads the request document, bounded.
func (k *call) body() ([]byte, error) {
	large := problem(413, "413", "Payload Too Large", "The request body exceeds "+strconv.Itoa(maxBody)+" bytes.")
	req := k.c.Request()
	if req.Header.ContentLength() > maxBody {
		return nil, large
	}
	if stream := k.c.Context().RequestBodyStream(); stream != nil {
		b, err := io.ReadAll(io.LimitReader(stream, maxBody+1))
		if err != nil {
			return nil, BadRequest("the request body ended early")
		}
		if len(b) > maxBody {
			return nil, large
		}
		return b, nil
	}
	if b := req.Body(); len(b) <= maxBody {
		return slices.Clone(b), nil
	}
	return nil, large
}

// send writes a document with its headers; 304 when the client has it already.
func (k *call) send(status int, doc []byte) error {
	sum := sha256.Sum256(doc)
	etag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	c := k.c
	c.Set("Vary", "Accept")
	c.Set("Etag", etag)
	c.Set("Cache-Control", "max-age=0, private, must-revalidate")
	if status == fiber.StatusOK && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) && matches(c.Get("If-None-Match"), etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set("Content-Type", MediaType)
	c.Status(status).Response().SetBodyRaw(doc)
	return nil
}

// matches compares weakly, as If-None-Match does.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// noContent ends a write that answers with nothing.
func (k *call) noContent() error {
	k.c.Set("Cache-Control", "no-cache")
	k.c.Status(fiber.StatusNoContent)
	return nil
}

func isNotFound(err error) bool {
	return err != nil && (rating.KindOf(err) == rating.NotFound || isNoRecord(err))
}

func isNoRecord(err error) bool {
	var ps Problems
	return errors.As(err, &ps) && len(ps) > 0 && ps[0].Status == 404
}
