package jsonapi

import (
	"errors"
	"strings"

	"billd/rating"
)

// Problem is one error object of an answer.
type Problem struct {
	Status  int
	Code    string // 3 digits; Yeti's own numbers below 400
	Title   string
	Detail  string
	Pointer string // of a rule that the document breaks
}

// Problems is an answer that refuses; its status is the first one's.
type Problems []Problem

// Error joins the details.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.Detail)
	}
	return b.String()
}

// err returns ps as an error, or nil when there is none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Blank is an answer without a document: a route that does not exist, an administrator's 401.
type Blank int

// Error names the status.
func (b Blank) Error() string { return "an answer without a document" }

// NoRoute is the answer to a path or verb that is not offered.
const NoRoute = Blank(404)

func problem(status int, code, title, detail string) Problems {
	return Problems{{Status: status, Code: code, Title: title, Detail: detail}}
}

// BadRequest refuses a document or parameter that none of the numbered errors describes.
func BadRequest(detail string) error { return problem(400, "400", "Bad Request", detail) }

// NoRecord says that no record goes by id.
func NoRecord(id string) error {
	return problem(404, "404", "Record not found", "The record identified by "+clip(id)+" could not be found.")
}

// Refuse says that a rule about the record as a whole forbids what was asked.
func Refuse(message string) error { return Problems{broken("", "/data", message)} }

// BadFilter refuses a filter's value.
func BadFilter(value, name string) error {
	return problem(400, "107", "Invalid filter value", clip(value)+" is not a valid value for "+name+".")
}

// TooFar refuses a page that would make the store sort more rows than it may hold.
func TooFar() error {
	return problem(400, "118", "Invalid page value", "number and size exceed the rows that can be sorted; use a filter.")
}

// Unauthorized is a 401 with a document.
func Unauthorized(title, detail string) error { return problem(401, "401", title, detail) }

// AttrProblem is a broken rule of an attribute.
func AttrProblem(attr, message string) Problem {
	return broken(attr, "/data/attributes/"+attr, message)
}

// RelProblem is a broken rule of a relationship.
func RelProblem(rel, message string) Problem { return broken(rel, "/data/relationships/"+rel, message) }

// BaseProblem is a broken rule of the record as a whole.
func BaseProblem(message string) Problem { return broken("", "/data", message) }

func broken(name, pointer, message string) Problem {
	detail := message
	if name != "" {
		detail = name + " - " + message
	}
	return Problem{Status: 422, Code: "100", Title: message, Detail: detail, Pointer: pointer}
}

func missing(param string) error {
	return problem(400, "106", "Missing Parameter", "The required parameter, "+param+", is missing.")
}

func badType(name string) error {
	return problem(400, "101", "Invalid resource", clip(name)+" is not a valid resource.")
}

func notAllowed(name string) error {
	return problem(400, "105", "Param not allowed", clip(name)+" is not allowed.")
}

func badID(id string) error {
	return problem(400, "103", "Invalid field value", clip(id)+" is not a valid value for id.")
}

// append writes the errors document.
func (ps Problems) append(dst []byte) []byte {
	dst = append(dst, `{"errors":[`...)
	for i, p := range ps {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"title":`...), p.Title)
		dst = appendString(append(dst, `,"detail":`...), p.Detail)
		dst = appendString(append(dst, `,"code":`...), p.Code)
		if p.Pointer != "" {
			dst = append(appendString(append(dst, `,"source":{"pointer":`...), p.Pointer), '}')
		}
		dst = append(dst, `,"status":"`...)
		dst = append(dst, byte('0'+p.Status/100), byte('0'+p.Status/10%10), byte('0'+p.Status%10))
		dst = append(dst, `"}`...)
	}
	return append(dst, `]}`...)
}

var internal = Problems{{Status: 500, Code: "500", Title: "Internal Server Error", Detail: "Internal Server Error"}}

// asProblems turns a refusal of the domain into the dialect's words. Only what the store or a hook
// says gets here: rules that a document breaks were found before.
func asProblems(err error) Problems {
	var ps Problems
	if errors.As(err, &ps) {
		return ps
	}
	var e *rating.Error
	if !errors.As(err, &e) {
		var es rating.Errors
		if !errors.As(err, &es) || len(es) == 0 {
			return internal
		}
		for _, e := range es {
			ps = append(ps, asProblems(e)...)
		}
		return ps
	}
	switch e.Kind {
	case rating.NotFound:
		return problem(404, "404", "Record not found", e.Error())
	case rating.Invalid, rating.Conflict, rating.Range:
		if e.Rule == "taken" {
			return Problems{AttrProblem(strings.ReplaceAll(e.Field, "_", "-"), "has already been taken")}
		}
		return Problems{BaseProblem(e.Error())}
	case rating.Limit:
		return problem(429, "429", "Too Many Requests", e.Error())
	}
	return internal
}
