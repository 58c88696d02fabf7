package server

import (
	"cmp"
	"slices"

	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// Route is one method on one path pattern.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Routes lists every route that a server mounts, by path; it needs no store.
func Routes() []Route {
	s := &Server{env: &ops.Env{Access: &ops.Access{}}}
	s.metrics = &metrics{}
	var list []Route
	for _, r := range s.newApp().GetRoutes(true) {
		if r.Method != fiber.MethodHead { // one for every GET
			list = append(list, Route{r.Method, r.Path})
		}
	}
	slices.SortFunc(list, func(a, b Route) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	return slices.Compact(list)
}
