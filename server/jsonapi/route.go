package jsonapi

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

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
	case k.d.verbs&Show == 0:
		return nil // there are no records to be below
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
