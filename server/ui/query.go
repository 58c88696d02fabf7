package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"billd/rating"

	"github.com/gofiber/fiber/v2"
)

// pageRows is how many rows a list shows at a time.
const pageRows = 50

// number reads an id or cursor of the query, 0 when it is not sent.
// Fails with Invalid if it is no whole number.
func number(c *fiber.Ctx, name string) (uint64, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, rating.Broken(name, "integer", "", "%s: want a whole number", name)
	}
	return n, nil
}

// rowID reads the number in a page's path; what is none leads nowhere.
func rowID(c *fiber.Ctx, noun string) (uint64, error) {
	n, err := strconv.ParseUint(c.Params("id"), 10, 64)
	if err != nil {
		return 0, rating.Errorf(rating.NotFound, noun, "there is no such %s", noun)
	}
	return n, nil
}

// dateOf reads a day of the query in loc, the zero time when it is not sent.
func dateOf(c *fiber.Ctx, name string, loc *time.Location) (time.Time, error) {
	text := c.Query(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, loc)
	if err != nil {
		return t, rating.Broken(name, "date", "", "%s: want a date such as 2026-11-30", name)
	}
	return t, nil
}

// dialled makes of a number as people write it the digits that rates are matched with: no blanks and
// marks, no + or 00 before the country.
func dialled(text string) string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()/ ", r) {
			return -1
		}
		return r
	}, text)
	text = strings.TrimPrefix(text, "+")
	return strings.TrimPrefix(text, "00")
}

// again returns path with the filter and one more parameter: the link to the next page.
func again(path string, filter url.Values, name, value string) string {
	q := url.Values{}
	for k, v := range filter {
		if len(v) > 0 && v[0] != "" {
			q[k] = v
		}
	}
	q.Set(name, value)
	return path + "?" + q.Encode()
}
