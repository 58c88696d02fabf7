package server

import (
	"cmp"
	"slices"
	"strings"

	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// Route is one method on one path pattern.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Routes lists every route that a server mounts, by path; it needs no store.
func Routes() ([]Route, error) {
	s := &Server{env: &ops.Env{Access: &ops.Access{}}}
	s.metrics = &metrics{}
	app, err := s.newApp()
	if err != nil {
		return nil, err
	}
	app.Handler() // mounted apps hand their routes over now
	list := slices.Clone(s.listed)
	for _, r := range app.GetRoutes(true) {
		if r.Method != fiber.MethodHead && !strings.HasSuffix(r.Path, "/*") { // HEAD comes with every GET
			list = append(list, Route{r.Method, r.Path})
		}
	}
	slices.SortFunc(list, func(a, b Route) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	return slices.Compact(list), nil
}
