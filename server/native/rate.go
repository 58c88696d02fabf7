package native

import (
	"bytes"
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
	"github.com/tidwall/gjson"
)

// maxAsks bounds the calls of one rate request.
const maxAsks = 1000

// rate prices one call, or an array of them, by the rates alone: it charges nothing and keeps nothing. An
// array is answered with an item for each in order, what has no price with its error.
func (a *API) rate(c *fiber.Ctx) error {
	body := bytes.TrimSpace(c.Body())
	if len(body) == 0 || body[0] != '{' && body[0] != '[' || !gjson.ValidBytes(body) {
		return rating.Broken("body", "json", "", `the body is not JSON: want {"number":…,"seconds":…} or an array of them`)
	}
	parsed := gjson.ParseBytes(body)
	if parsed.IsObject() {
		return a.rateOne(c, parsed)
	}
	asks, broken, err := decodeAsks(parsed)
	if err != nil {
		return err
	}
	b := append(make([]byte, 0, 192*len(asks)), `{"items":[`...)
	err = ops.Price(c.UserContext(), a.Env, asks, func(i int, ask rating.Ask, q rating.Quote, err error) error {
		if i > 0 {
			b = append(b, ',')
		}
		if broken[i] != nil {
			err = broken[i]
		}
		if err != nil {
			_, p := a.describe(c, err)
			item, err := json.Marshal(fiber.Map{"error": p})
			b = append(b, item...)
			return err
		}
		b = appendPrice(b, &ask, &q)
		return nil
	})
	if err != nil {
		return err
	}
	return sendJSON(c, append(b, `]}`...))
}

func (a *API) rateOne(c *fiber.Ctx, v gjson.Result) error {
	ask, err := decodeAsk(v)
	if err != nil {
		return err
	}
	return ops.Price(c.UserContext(), a.Env, []ops.ExplainArgs{ask}, func(_ int, ask rating.Ask, q rating.Quote, err error) error {
		if err != nil {
			return err
		}
		return sendJSON(c, appendPrice(make([]byte, 0, 192), &ask, &q))
	})
}

func sendJSON(c *fiber.Ctx, b []byte) error {
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().SetBodyRaw(b)
	return nil
}

// decodeAsks reads an array; broken holds why an element is no ask.
func decodeAsks(list gjson.Result) (asks []ops.ExplainArgs, broken []error, err error) {
	list.ForEach(func(_, v gjson.Result) bool {
		if len(asks) == maxAsks {
			err = rating.Broken("body", "maximum", strconv.Itoa(maxAsks), "more than %d calls in one request", maxAsks)
			return false
		}
		ask, bad := decodeAsk(v)
		asks, broken = append(asks, ask), append(broken, bad)
		return true
	})
	return asks, broken, err
}

// decodeAsk reads one call: texts may be given as JSON texts or numbers.
func decodeAsk(v gjson.Result) (ask ops.ExplainArgs, err error) {
	if !v.IsObject() {
		return ask, rating.Broken("body", "type", "", "a call is not a JSON object")
	}
	v.ForEach(func(name, value gjson.Result) bool {
		var into *string
		switch name.Str {
		case "number":
			into = &ask.Number
		case "seconds":
			into = &ask.Seconds
		case "account":
			into = &ask.Account
		case "deck":
			into = &ask.Deck
		case "at":
			into = &ask.At
		default:
			err = rating.Broken(clip(name.Str), "unknown", "", "%.40q: want number, seconds, account, deck or at", name.Str)
			return false
		}
		switch value.Type {
		case gjson.String:
			*into = value.Str
		case gjson.Number:
			*into = value.Raw
		case gjson.Null:
		default:
			err = rating.Broken(name.Str, "type", "", "%s: want text or a number", name.Str)
			return false
		}
		return true
	})
	return ask, err
}

// appendPrice writes what a call costs. price is what the account would pay, tax included.
func appendPrice(b []byte, ask *rating.Ask, q *rating.Quote) []byte {
	text := func(name, s string) {
		b = append(append(append(b, ','), name...), ':')
		b = appendText(b, s)
	}
	money := func(name string, m rating.Money) {
		b = append(append(append(b, ','), name...), `:"`...)
		b = append(m.Append(b), '"')
	}
	gross, net, tax := q.Charge.Gross, q.Charge.Net, q.Charge.Tax
	b = appendText(append(b, `{"number":`...), ask.Number)
	money(`"price"`, gross)
	text(`"currency"`, q.Deck.Currency.String())
	b = strconv.AppendUint(append(b, `,"rate_id":`...), uint64(q.Match.Rate), 10)
	text(`"prefix"`, ask.Number[:q.Match.PrefixLen])
	b = strconv.AppendInt(append(b, `,"billed_seconds":`...), q.Charge.Billed, 10)
	money(`"net"`, net)
	money(`"tax"`, tax)
	text(`"deck"`, q.Deck.Name)
	b = strconv.AppendBool(append(b, `,"blocked":`...), q.Match.Blocked)
	b = strconv.AppendBool(append(b, `,"reverse":`...), q.Match.Reverse)
	return append(b, '}')
}

// appendText writes JSON text; what nearly all are, plain ASCII, without a pass of the JSON writer.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always has JSON
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
