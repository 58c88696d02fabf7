package portsip

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
)

// maxBody bounds a request body. The longest sensible one is a rate whose description is escaped
// throughout: 12 KB.
const maxBody = 256 << 10

// readBody returns the request's body as it came.
func readBody(c *fiber.Ctx) ([]byte, error) {
	if c.Request().Header.ContentLength() > maxBody {
		c.Context().SetConnectionClose() // the rest is not worth reading
		return nil, fiber.ErrRequestEntityTooLarge
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		b := c.Request().Body()
		if len(b) > maxBody {
			return nil, fiber.ErrRequestEntityTooLarge
		}
		return b, nil
	}
	b, err := io.ReadAll(io.LimitReader(stream, maxBody+1))
	if err != nil {
		return nil, rating.Broken("body", "format", "", "body: it could not be read to its end")
	}
	if len(b) > maxBody {
		c.Context().SetConnectionClose()
		return nil, fiber.ErrRequestEntityTooLarge
	}
	return b, nil
}

// object is a JSON object whose values are not decoded, so that numbers keep their digits.
type object map[string]json.RawMessage

// readObject returns the request's body, which must be a JSON object whatever its Content-Type says.
func readObject(c *fiber.Ctx) (object, error) {
	b, err := readBody(c)
	if err != nil {
		return nil, err
	}
	var o object
	if !utf8.Valid(b) || json.Unmarshal(b, &o) != nil || o == nil {
		return nil, rating.Broken("body", "format", "", "body: want a JSON object")
	}
	return o, nil
}

// has reports whether the key is there, null or not.
func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// isNull reports whether the key is there and null.
func (o object) isNull(name string) bool { return string(o[name]) == "null" }

func wrongType(name, want string) *rating.Error {
	return rating.Broken(name, "type", "", "%s: want %s", name, want)
}

func required(name string) *rating.Error {
	return rating.Broken(name, "required", "", "%s: required", name)
}

// text reads a JSON string of least to most characters.
func (o object) text(name string, least, most int) (string, *rating.Error) {
	if !o.has(name) {
		return "", required(name)
	}
	var s *string
	if json.Unmarshal(o[name], &s) != nil || s == nil {
		return "", wrongType(name, "a string")
	}
	switch n := utf8.RuneCountInString(*s); {
	case n < least:
		return "", rating.Broken(name, "minLength", strconv.Itoa(least), "%s: %d characters, want at least %d", name, n, least)
	case n > most:
		return "", rating.Broken(name, "maxLength", strconv.Itoa(most), "%s: %d characters, want at most %d", name, n, most)
	}
	return *s, nil
}

// digits returns the text of a JSON number.
func (o object) digits(name string) (string, bool) {
	raw := o[name]
	return string(raw), len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// whole reads a whole JSON number of at least least that fits int32.
func (o object) whole(name string, least int64) (int64, *rating.Error) {
	const most = 1<<31 - 1
	digits, ok := o.digits(name)
	if !ok {
		return 0, wrongType(name, "an integer")
	}
	n, ok := parseWhole(digits)
	switch {
	case !ok:
		return 0, wrongType(name, "an integer of at most 2147483647")
	case n < least:
		return 0, rating.Broken(name, "minimum", strconv.FormatInt(least, 10), "%s: %d, want at least %d", name, n, least)
	case n > most:
		return 0, rating.Broken(name, "maximum", strconv.Itoa(most), "%s: %d, want at most %d", name, n, most)
	}
	return n, nil
}

// number reads a JSON number in hundred-thousandths, from 0 to most major units.
func (o object) number(name string, most int64) (int64, *rating.Error) {
	digits, ok := o.digits(name)
	if !ok {
		return 0, wrongType(name, "a number")
	}
	n, err := parseUnits(digits)
	switch {
	case err != nil || n > most*hundredThousand:
		return 0, rating.Broken(name, "maximum", strconv.FormatInt(most, 10), "%s: want at most %d", name, most)
	case n < 0:
		return 0, rating.Broken(name, "minimum", "0", "%s: want at least 0", name)
	}
	return n, nil
}

// boolean reads true or false.
func (o object) boolean(name string) (bool, *rating.Error) {
	switch string(o[name]) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, wrongType(name, "true or false")
}

// oneOf reads a JSON string that is one of two words, and returns whether it is the second.
func (o object) oneOf(name, first, second string) (bool, *rating.Error) {
	s, err := o.text(name, 0, maxBody)
	if err != nil {
		return false, err
	}
	if s != first && s != second {
		return false, rating.Broken(name, "enum", "", "%s: want %s or %s", name, first, second)
	}
	return s == second, nil
}
