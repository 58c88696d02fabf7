package jsonapi

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"billd/rating"
)

// parcel is a record of the tests' own.
type parcel struct {
	id     string
	name   string
	weight *int64
	price  rating.Money
	sent   time.Time
	owner  uint64
}

func parcels() Resource[parcel] {
	return Resource[parcel]{
		Type: "parcels", Verbs: CRUD,
		Key:  func(p *parcel) string { return p.id },
		Load: func(*Request, string) (*parcel, error) { return nil, NoRecord("1") },
		Each: func(_ *Request, _ *Query, fn func(*parcel) (bool, error)) error {
			for _, p := range stock() {
				if more, err := fn(p); err != nil || !more {
					return err
				}
			}
			return nil
		},
		Attrs: []Attr[parcel]{
			Field("name", Text, func(p *parcel) *string { return &p.name }, Required, PlainFilter),
			Field("gross-weight", NullInteger, func(p *parcel) **int64 { return &p.weight }, Above("0")),
			Field("price", Amount, func(p *parcel) *rating.Money { return &p.price }, ReadOnly),
			Field("sent-at", Instant, func(p *parcel) *time.Time { return &p.sent }),
		},
		Rels: []Rel[parcel]{One("owner", "parcels", func(p *parcel) *uint64 { return &p.owner }, Linkage, FilterByID)},
	}
}

func stock() []*parcel {
	w := func(n int64) *int64 { return &n }
	day := func(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 999_999, time.UTC) }
	return []*parcel{
		{"1", "Alpha", w(10), 5_000_000, day(1), 2},
		{"2", "beta 100%", nil, -2_500_000, day(2), 0},
		{"3", "Alpine", w(9), 1_000_000, time.Time{}, 2},
	}
}

func newAPI(t testing.TB) *API {
	t.Helper()
	api, err := New(Config{Base: "/api", Resources: []Declared{parcels()}})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// ids lists the parcels that a query string finds.
func ids(t testing.TB, api *API, query string) (string, error) {
	t.Helper()
	p, err := parseParams(query)
	if err != nil {
		return "", err
	}
	d := api.types["parcels"]
	q, _, err := d.bind(api, p, true)
	if err != nil {
		return "", err
	}
	page, _, err := d.rows(&Request{}, q)
	var found []string
	for _, rec := range page {
		found = append(found, d.key(rec))
	}
	return strings.Join(found, " "), err
}

func TestListFindsAndOrders(t *testing.T) {
	api := newAPI(t)
	for _, tt := range []struct{ name, query, want string }{
		{"everything is in ascending order of id", "", "1 2 3"},
		{"a plain filter takes any of its values", "filter[name]=Alpha,Alpine", "1 3"},
		{"a plain filter without a value finds nothing", "filter[name]=", ""},
		{"text is compared without regard to case by cont", "filter[name_cont]=ALP", "1 3"},
		{"text is compared with regard to case by eq", "filter[name_eq]=alpha", ""},
		{"a per cent sign means itself", "filter[name_cont]=%25", "2"},
		{"not_eq leaves out null", "filter[gross_weight_not_eq]=10", "3"},
		{"a name may be dashed", "filter[gross-weight-gt]=9.5", "1"},
		{"an empty list is no condition", "filter[gross_weight_in]=", "1 2 3"},
		{"an array is a list", "filter[name][]=Alpha&filter[name][]=beta%20100%25", "1 2"},
		{"a date is midnight, UTC", "filter[sent_at_gteq]=2026-11-02", "2"},
		{"an offset is obeyed", "filter[sent_at_lt]=2026-11-01T13:30:00%2B01:00", "1"},
		{"a relationship is filtered by id", "filter[owner.id]=2,7", "1 3"},
		{"a relationship without ids finds nothing", "filter[owner.id]=", ""},
		{"ids are a list", "filter[id]=3,1", "1 3"},
		{"nulls come last, ascending", "sort=gross-weight", "3 1 2"},
		{"nulls come first, descending", "sort=-gross_weight", "2 1 3"},
		{"amounts are ordered by value", "sort=-price", "1 3 2"},
		{"a page follows the one before", "sort=-price&page[size]=1&page[number]=2", "3"},
		{"behind the end there is nothing", "page[number]=9", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ids(t, api, tt.query)
			if err != nil || got != tt.want {
				t.Errorf("%s = %q, %v, want %q", tt.query, got, err, tt.want)
			}
		})
	}
}

func TestQueryIsRefused(t *testing.T) {
	api := newAPI(t)
	for _, tt := range []struct{ name, query, code, detail string }{
		{"an unknown filter", "filter[a-b]=1", "102", "a_b is not allowed."},
		{"an unknown filter of a relationship", "filter[owner.name]=1", "102", "name is not allowed."},
		{"two values for one", "filter[name_eq]=a,b", "107", "a,b is not a valid value for name_eq."},
		{"no value for one", "filter[name_eq]=", "107", " is not a valid value for name_eq."},
		{"a number that is none", "filter[price_gt]=x", "107", "x is not a valid value for price_gt."},
		{"a filter without a name", "filter=abc", "120", "abc is not a valid syntax for filtering."},
		{"an id that is no number", "filter[id]=x", "103", "x is not a valid value for id."},
		{"an unknown order", "sort=foo-bar", "114", "foo_bar is not a valid sort criteria for parcels"},
		{"an order by relationship", "sort=owner", "114", "owner is not a valid sort criteria for parcels"},
		{"page 0", "page[number]=0", "118", "0 is not a valid value for number page parameter."},
		{"a page that is no number", "page=x", "118", "0 is not a valid value for number page parameter."},
		{"pages of 0", "page[size]=0", "118", "0 is not a valid value for size page parameter."},
		{"pages of 1001", "page[size]=1001", "118", "size exceeds maximum page size of 1000."},
		{"an unknown relationship to include", "include=owner.foo", "112", "foo is not a valid relationship of parcels"},
		{"an unknown field", "fields[parcels]=foo", "104", "foo is not a valid field for parcels."},
		{"no fields", "fields[parcels]=", "104", "nil is not a valid field for parcels."},
		{"fields of an unknown type", "fields[foo]=name", "101", "foo is not a valid resource."},
		{"fields of no type", "fields=name", "119", "Fields must specify a type."},
		{"an include that is too deep", "include=" + strings.Repeat("owner.", 8) + "owner", "400", "include: more than 100 relationships, or deeper than 8"},
		{"a page behind too many rows", "sort=name&page[number]=900000&page[size]=1000", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ids(t, api, tt.query)
			var ps Problems
			if tt.code == "" {
				if err != nil {
					t.Errorf("%s = %v, want an empty page", tt.query, err)
				}
				return
			}
			if !errors.As(err, &ps) || ps[0].Code != tt.code || ps[0].Detail != tt.detail {
				t.Errorf("%s = %v, want %s %q", tt.query, err, tt.code, tt.detail)
			}
		})
	}
}

func TestSortedListIsBounded(t *testing.T) {
	q := &Query{Number: 60, Size: 1000, orders: []order{{"n", func(_ *Request, rec any) Value { return IntegerValue(rec.(int64)) }, true}}}
	g := gather{r: &Request{}, q: q}
	var err error
	for n := int64(0); n < 200_000 && err == nil; n++ {
		err = g.take(n)
	}
	var ps Problems
	if !errors.As(err, &ps) || ps[0].Code != "118" {
		t.Errorf("page 60 of 1000 out of 200,000 = %v, want 118", err)
	}
	q.Number, g = 3, gather{r: &Request{}, q: q}
	for n := range int64(20_000) {
		if err := g.take(n); err != nil {
			t.Fatal(err)
		}
	}
	page := g.page()
	if len(page) != 1000 || page[0] != int64(17_999) || g.total != 20_000 {
		t.Errorf("page 3 = %d rows from %v of %d, want 1000 from 17999 of 20000", len(page), page[0], g.total)
	}
}

func TestPageLinksHoldTheWholeQuery(t *testing.T) {
	p, err := parseParams("sort=-name&foo=1&page=2&filter[name]=a%20b,c&page[size]=10&include=owner&fields[parcels]=name")
	if err != nil {
		t.Fatal(err)
	}
	const want = "fields%5Bparcels%5D=name&filter%5Bname%5D=a+b%2Cc&include=owner&page%5Bnumber%5D=3&page%5Bsize%5D=10&sort=-name"
	if got := p.encode(3); got != want {
		t.Errorf("link = %s, want %s", got, want)
	}
	var names []string
	gjson.Get("{"+string(p.pageLinks("", 25)([]byte{}))[1:]+"}", "links").ForEach(func(k, _ gjson.Result) bool { names = append(names, k.Str); return true })
	if want := []string{"first", "prev", "next", "last"}; !slices.Equal(names, want) {
		t.Errorf("links = %v, want %v", names, want)
	}
}

func TestDocumentIsRefused(t *testing.T) {
	d := newAPI(t).types["parcels"]
	for _, tt := range []struct{ name, doc, code, detail string }{
		{"an empty data", `{"data":{}}`, "106", "The required parameter, data, is missing."},
		{"another type", `{"data":{"type":"parcel"}}`, "101", "parcel is not a valid resource."},
		{"an attribute that is read-only", `{"data":{"type":"parcels","attributes":{"price":1}}}`, "105", "price is not allowed."},
		{"an attribute with an underscore", `{"data":{"type":"parcels","attributes":{"sent_at":1}}}`, "105", "sent_at is not allowed."},
		{"a member that is not known", `{"data":{"type":"parcels","extra":1}}`, "105", "extra is not allowed."},
		{"linkage with a third member", `{"data":{"type":"parcels","relationships":{"owner":{"data":{"type":"parcels","id":1,"x":1}}}}}`, "115", "Data is not a valid Links Object."},
		{"linkage of another type", `{"data":{"type":"parcels","relationships":{"owner":{"data":{"type":"boxes","id":1}}}}}`, "116", "boxes is not a valid type for this operation."},
		{"linkage to an id that is no number", `{"data":{"type":"parcels","relationships":{"owner":{"data":{"type":"parcels","id":"abc"}}}}}`, "103", "abc is not a valid value for id."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := d.parseBody([]byte(tt.doc), "")
			var ps Problems
			if !errors.As(err, &ps) || ps[0].Code != tt.code || ps[0].Detail != tt.detail {
				t.Errorf("%s = %v, want %s %q", tt.doc, err, tt.code, tt.detail)
			}
		})
	}
}

func TestNullMembersCountAsNotGiven(t *testing.T) {
	d := newAPI(t).types["parcels"]
	for _, doc := range []string{`{"data":{"type":"parcels","attributes":null,"relationships":null}}`, `{"data":{"type":"parcels","relationships":{"owner":null}}}`} {
		if b, err := d.parseBody([]byte(doc), ""); err != nil || len(b.attrs)+len(b.rels) != 0 {
			t.Errorf("%s = %+v, %v, want nothing sent", doc, b, err)
		}
	}
}

func TestKindsReadWhatYetiReads(t *testing.T) {
	amount := func(in Input) (Value, string) { m, f := Amount.Parse(in); return Amount.Value(m), f }
	limit := func(in Input) (Value, string) { d, f := Limit.Parse(in); return Limit.Value(d), f }
	whole := func(in Input) (Value, string) { n, f := NullInteger.Parse(in); return NullInteger.Value(n), f }
	list := func(in Input) (Value, string) { n, f := Integers.Parse(in); return Integers.Value(n), f }
	flag := func(in Input) (Value, string) { b, f := Bool.Parse(in); return Bool.Value(b), f }
	moment := func(in Input) (Value, string) { v, f := Instant.Parse(in); return Instant.Value(v), f }
	for _, tt := range []struct {
		name, json, want string
		read             func(Input) (Value, string)
	}{
		{"an exponent", `"1e2"`, `"100.0"`, amount},
		{"blanks", `" 0.10 "`, `"0.1"`, amount},
		{"a number is not a double", `0.1234567`, `"0.123457"`, amount},
		{"a limit keeps every digit", `100000000000000000000000000.000000000000000001`, `"100000000000000000000000000.000000000000000001"`, limit},
		{"negative zero", `"-0.0"`, `"0.0"`, limit},
		{"a word", `"abc"`, notNumber, amount},
		{"an object", `{}`, notNumber, amount},
		{"a fraction for a whole number", `1.5`, notInteger, whole},
		{"an empty text for a whole number", `""`, `null`, whole},
		{"a scalar for a list", `7`, `[7]`, list},
		{"an empty list", `[]`, `null`, list},
		{"a false word", `"f"`, `false`, flag},
		{"microseconds are cut off", `"2026-02-27T16:55:53.518999Z"`, `"2026-02-27T16:55:53.518Z"`, moment},
		{"a date", `"2026-02-27"`, `"2026-02-27T00:00:00.000Z"`, moment},
		{"a minute with an offset", `"2026-02-27T16:55+02:00"`, `"2026-02-27T14:55:00.000Z"`, moment},
		{"an offset without a colon", `"2026-02-27T16:55:53.5-0130"`, `"2026-02-27T18:25:53.500Z"`, moment},
		{"an offset of hours", `"2026-02-27 16:55:53+02"`, `"2026-02-27T14:55:53.000Z"`, moment},
		{"an offset behind a blank", `"2026-02-27 16:55:53 +0200"`, `"2026-02-27T14:55:53.000Z"`, moment},
		{"UTC by name", `"2026-02-27 16:55:53 UTC"`, `"2026-02-27T16:55:53.000Z"`, moment},
		{"the basic form", `"20260227T165553Z"`, `"2026-02-27T16:55:53.000Z"`, moment},
		{"half a date", `"2026-02"`, isInvalid, moment},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, got := tt.read(Input{gjson.Parse(tt.json)})
			if got == "" {
				got = string(v.append(nil))
			}
			if got != tt.want {
				t.Errorf("%s = %s, want %s", tt.json, got, tt.want)
			}
		})
	}
}

func TestUnknownTypesAreFoundAtStart(t *testing.T) {
	d := parcels()
	d.Rels = append(d.Rels, One("box", "boxes", func(p *parcel) *uint64 { return &p.owner }))
	if _, err := New(Config{Resources: []Declared{d}}); err == nil {
		t.Error("New = nil, want an error about boxes")
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "filter[name_in]=a,b&sort=-name", "page[number]=2&page[size]=3", "include=owner.owner", "fields[parcels]=name,owner", "filter[name][]=%41", "a[b][c]=%", "filter[]=&page[]=]["} {
		f.Add(seed)
	}
	api := newAPI(f)
	f.Fuzz(func(t *testing.T, query string) {
		found, err := ids(t, api, query)
		var ps Problems
		if err != nil && (!errors.As(err, &ps) || ps[0].Status != 400 || !json.Valid(ps.append(nil))) {
			t.Fatalf("%q = %v, want rows or a 400 in JSON", query, err)
		}
		if err != nil {
			return
		}
		p, _ := parseParams(query)
		again, err := ids(t, api, p.encode(p.number))
		if err == nil && again != found {
			t.Fatalf("%q finds %q, its own link %q finds %q", query, found, p.encode(p.number), again)
		}
	})
}

func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`{"data":{"type":"parcels","attributes":{"name":"x","gross-weight":"1e3"},"relationships":{"owner":{"data":{"type":"parcels","id":4}}}}}`, `[]`, `{"data":[]}`, "\xff", `{"data":{"type":"parcels","attributes":{"name":"\u0000"}}}`, strings.Repeat("[", 20_000)} {
		f.Add([]byte(seed))
	}
	api := newAPI(f)
	d := api.types["parcels"]
	f.Fuzz(func(t *testing.T, doc []byte) {
		b, err := d.parseBody(doc, "")
		var rec = &parcel{id: "9"}
		if err == nil {
			err = d.apply(api, &Request{}, rec, b)
		}
		var ps Problems
		if err != nil && (!errors.As(err, &ps) || ps[0].Status != 400 && ps[0].Status != 422 || !json.Valid(ps.append(nil))) {
			t.Fatalf("%q = %v, want a 400 or 422 in JSON", doc, err)
		}
		w := api.writer(&Request{}, &view{include: &node{}}, "http://example.org")
		if out, err := w.single(d, rec); err != nil || !json.Valid(out) {
			t.Fatalf("%q is written as %q, %v", doc, out, err)
		}
	})
}
