package jsonapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Endpoint is one method on one path pattern.
type Endpoint struct{ Method, Path string }

// Endpoints lists what the API serves, by path; GET stands for HEAD too.
func (a *API) Endpoints() []Endpoint {
	var list []Endpoint
	add := func(path string, methods ...string) {
		for _, m := range methods {
			list = append(list, Endpoint{m, a.Base + "/" + path})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(a.paths)) {
		a.paths[path].endpoints(path, a.ReadOnly, add)
	}
	for _, r := range a.Routes {
		add(r.Path, r.Method)
	}
	return list
}

// endpoints tells add what the resource serves below path.
func (res *resource) endpoints(path string, readOnly bool, add func(path string, methods ...string)) {
	if strings.Contains(path, ":id") {
		add(path, http.MethodPatch, http.MethodPut)
		return
	}
	one := path + "/:id"
	for _, v := range []struct {
		verb    Verbs
		path    string
		methods []string
	}{
		{List, path, []string{http.MethodGet}},
		{Create, path, []string{http.MethodPost}},
		{Show, one, []string{http.MethodGet}},
		{Update, one, []string{http.MethodPatch, http.MethodPut}},
		{Delete, one, []string{http.MethodDelete}},
	} {
		if res.verbs&v.verb != 0 {
			add(v.path, v.methods...)
		}
	}
	for _, rel := range res.rels {
		add(one+"/"+rel.name, http.MethodGet)
		add(one+"/relationships/"+rel.name, http.MethodGet)
		if !readOnly && res.verbs&Update != 0 {
			add(one+"/relationships/"+rel.name, http.MethodPatch, http.MethodPut, http.MethodDelete)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(res.actions)) {
		add(one+"/"+name, http.MethodGet)
	}
}
