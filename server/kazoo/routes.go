package kazoo

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// privilege says who may call an endpoint. Where the path names an account, all but anyone must
// reach it.
type privilege uint8

const (
	anyone   privilege = iota // without a login
	user                      // any token
	reseller                  // the target's reseller, or the master
	master                    // the operator's own account
)

// endpoint is one verb on one path.
type endpoint struct {
	who    privilege
	run    func(*exchange) (*answer, error)
	csv    bool // can answer text/csv
	upload bool // takes a file
}

// route is a row of the table. The path is below /v2; ":name" stands for any one segment.
type route struct {
	path   string
	method string
	endpoint
}

const (
	get    = http.MethodGet
	put    = http.MethodPut
	post   = http.MethodPost
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// node is a path's segment with what follows it.
type node struct {
	verbs map[string]*endpoint
	next  map[string]*node
	any   *node
	name  string // of the parameter, in any
}

func buildRoutes(table []route) *node {
	top := &node{}
	for _, r := range table {
		n := top
		for _, s := range strings.Split(r.path, "/") {
			n = n.child(s)
		}
		if n.verbs == nil {
			n.verbs = map[string]*endpoint{}
		}
		n.verbs[r.method] = &r.endpoint
	}
	return top
}

func (n *node) child(segment string) *node {
	if name, isParam := strings.CutPrefix(segment, ":"); isParam {
		if n.any == nil {
			n.any = &node{name: name}
		}
		return n.any
	}
	if n.next == nil {
		n.next = map[string]*node{}
	}
	if n.next[segment] == nil {
		n.next[segment] = &node{}
	}
	return n.next[segment]
}

// find returns the node of a path that has verbs, and fills the parameters; a literal segment goes
// before a parameter.
func (n *node) find(segments []string, params map[string]string) *node {
	if len(segments) == 0 {
		if n.verbs == nil {
			return nil
		}
		return n
	}
	if next := n.next[segments[0]]; next != nil {
		if found := next.find(segments[1:], params); found != nil {
			return found
		}
	}
	if n.any == nil || segments[0] == "" {
		return nil
	}
	found := n.any.find(segments[1:], params)
	if found != nil {
		params[n.any.name] = segments[0]
	}
	return found
}

func (n *node) allow() string {
	return strings.Join(append(slices.Sorted(maps.Keys(n.verbs)), http.MethodOptions), ", ")
}

// table is everything there is to call.
func (a *API) table() []route {
	return slices.Concat(authRoutes(), accountRoutes(), ledgerRoutes(), serviceRoutes(), plannerRoutes(), objectRoutes(), portStateRoutes(), numberRoutes(), ipRoutes(), whitelabelRoutes(), legacyRoutes(), taskRoutes(), limitRoutes(), userRoutes(), rateRoutes(), cdrRoutes(), transactionRoutes())
}
