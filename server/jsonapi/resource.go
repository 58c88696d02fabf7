package jsonapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// Verbs says what a resource offers.
type Verbs uint8

// The verbs.
const (
	List Verbs = 1 << iota
	Show
	Create
	Update
	Delete

	ReadVerbs = List | Show
	CRUD      = ReadVerbs | Create | Update | Delete
)

// IDKind says how a resource's ids look.
type IDKind uint8

// The kinds of id. A path id that cannot be an IntegerID is error 103, one that cannot be a UUIDID
// is an unknown route, and a NameID may be any text.
const (
	IntegerID IDKind = iota
	UUIDID
	NameID
)

// plausible reports whether id has the right shape.
func (k IDKind) plausible(id string) bool {
	switch k {
	case IntegerID:
		_, err := strconv.ParseInt(id, 10, 64)
		return err == nil
	case UUIDID:
		_, err := rating.ParseUUID(id)
		return err == nil && len(id) == 36
	}
	return true
}

// Caller is who asks: Name goes to the audit trail, Scope to the resources' hooks.
type Caller struct {
	Name  string
	Scope any
}

// Request is one request as hooks see it.
type Request struct {
	Context context.Context
	Tx      *storage.Tx
	Scope   any
	err     error
}

// Fail keeps the first error of a computed value or a check; it becomes the answer.
func (r *Request) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Page is what a List hook returns: the rows of the page asked for and how many there are in all.
type Page[T any] struct {
	Rows  []*T
	Total int64
}

// Resource declares a type of record: what it is called, what it consists of and what can be done
// with it. Only Type, Key, Attrs and a source (Rows, or Each and Load) are needed.
type Resource[T any] struct {
	Type  string   // on the wire, and the path unless Paths says otherwise
	Paths []string // below the API's base: "invoice-template", or "accounts/:id/balance" for one verb-bound record
	Self  string   // a fixed self link instead of <type>/<id>
	Verbs Verbs
	ID    IDKind
	Key   func(*T) string // the record's id

	// Rows is the table that the records are. Without it Each and Load, and Save for a resource that
	// can be written, take its place.
	Rows func(*storage.Tx) storage.Rows[T]
	// Each calls fn with every record in ascending order of id. It may use q to offer fewer: all
	// conditions are tested again.
	Each func(r *Request, q *Query, fn func(*T) (bool, error)) error
	// Load finds one record; NotFound when there is none.
	Load func(r *Request, id string) (*T, error)
	// Page lists without walking all records: it obeys every condition (Query.Match) and the order.
	Page func(r *Request, q *Query) (Page[T], error)
	// Hidden leaves out what is deleted or outside the caller's scope.
	Hidden func(r *Request, v *T) bool

	Attrs   []Attr[T]
	Rels    []Rel[T]
	Filters []Filter[T] // beside those of the attributes
	Sorts   []Sort[T]   // beside the attributes and id
	Order   string      // default order; "" is ascending id
	NoIDSort,
	Unpaged, // everything in one list without links
	Linkless, // records without links
	Transient bool // nothing of it is stored: a create reads, and no writer waits for it
	CheckFirst []string // attributes and relationships whose rules come before the others', in this order
	Ignored    []string // relationships in requests that are taken and dropped

	New     func(r *Request) *T                      // a record with its defaults
	Prepare func(ctx context.Context, b *Body) error // before the transaction: whatever is slow
	Check   func(r *Request, v *T, b *Body) Problems // rules beyond those of the attributes
	Insert  func(r *Request, v *T) error             // instead of Rows.Put
	Save    func(r *Request, v *T) error             // instead of Rows.Put
	Remove  func(r *Request, v *T) error             // instead of Rows.Delete
	// Issue follows a create's transaction and precedes its document: for what must not happen inside a
	// transaction, such as signing.
	Issue   func(v *T) error
	Done    func() // after a change is committed
	Actions []Action[T]
}

// Filter is a condition beside those of the attributes. With Value, Name gets the operators of Ops,
// or is plain; with Match, Name is the whole name and Match decides.
type Filter[T any] struct {
	Name  string
	Ops   Ops
	Plain bool
	Value func(r *Request, v *T) Value
	Match func(r *Request, v *T, values []string) bool
	One   bool // Match takes exactly one value
}

// Sort is a sort criterion beside the attributes.
type Sort[T any] struct {
	Name  string
	Value func(r *Request, v *T) Value
}

// Action is a GET below a record that is not a document: a PDF, a recording.
type Action[T any] struct {
	Name  string
	Serve func(r *Request, c *fiber.Ctx, v *T) error
}

// Declared is a Resource of any T.
type Declared interface{ erase() (*resource, error) }

// Pick returns the resource with only some of its attributes, read-only, in the order named: the
// view that a customer has.
func (d Resource[T]) Pick(names ...string) Resource[T] {
	d.Attrs = Named(d.Attrs, names...)
	for i := range d.Attrs {
		ReadOnly(&d.Attrs[i].opts)
	}
	d.Verbs &= ReadVerbs
	return d
}

// Named returns some attributes out of all, in the order named: for resources that share them. It panics
// when there is none of a name.
func Named[T any](all []Attr[T], names ...string) []Attr[T] {
	some := make([]Attr[T], len(names))
	for i, name := range names {
		at := slices.IndexFunc(all, func(a Attr[T]) bool { return a.name == name })
		if at < 0 {
			panic("jsonapi: no attribute " + name)
		}
		some[i] = all[at]
	}
	return some
}

// resource is a Resource apart from its Go type.
type resource struct {
	typ, self   string
	paths       []string
	verbs       Verbs
	id          IDKind
	attrs       []attribute
	rels        []*rel
	filters     map[string]*filter
	sorts       map[string]func(*Request, any) Value
	order       string
	unpaged     bool
	linkless    bool
	transient   bool
	checkFirst  []string
	ignored     []string
	actions     map[string]func(*Request, *fiber.Ctx, any) error
	key         func(any) string
	idValue     func(*Request, any) Value
	hidden      func(*Request, any) bool
	each        func(*Request, *Query, func(any) (bool, error)) error
	page        func(*Request, *Query) ([]any, int64, error)
	load        func(*Request, string) (any, error)
	fresh       func(*Request) any
	prepare     func(context.Context, *Body) error
	check       func(*Request, any, *Body) Problems
	insert      func(*Request, any) error
	save        func(*Request, any) error
	remove      func(*Request, any) error
	taken       func(*Request, any) []string
	done        func()
	issue       func(any) error
	ascendingID bool // each goes in the order of id
}

type attribute struct {
	name  string
	opts  options
	ops   Ops
	value func(*Request, any) Value
	set   func(any, Input) string
}

func (a *attribute) writable(create bool) bool {
	return a.set != nil && (create && !a.opts.noCreate || !create && !a.opts.noUpdate)
}

func (d *resource) attr(name string) *attribute {
	for i := range d.attrs {
		if d.attrs[i].name == name {
			return &d.attrs[i]
		}
	}
	return nil
}

func (d *resource) rel(name string) *rel {
	for _, rl := range d.rels {
		if rl.name == name {
			return rl
		}
	}
	return nil
}
