package native

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
	"github.com/tidwall/gjson"
)

// authorize says whether a call may begin and reserves what it may cost; reserve=false only asks. The body
// is JSON, or a form, which is what dialplans can send; ?format=text answers a line that they can read.
func (a *API) authorize(c *fiber.Ctx) error {
	args, reserve, err := decodeAuthorize(c.Body())
	if err != nil {
		return err
	}
	do := ops.Authorize
	if !reserve {
		do = ops.Ask
	}
	answer, err := do(c.UserContext(), a.Env, args)
	if err != nil {
		return err
	}
	return sendAuthorization(c, answer)
}

func sendAuthorization(c *fiber.Ctx, answer *ops.Authorization) error {
	switch format := c.Query("format"); format {
	case "", "json":
		return c.JSON(answer)
	case "text":
		return c.SendString(authorizationText(answer))
	default:
		return rating.Broken("format", "inclusion", "json, text", "format %q: want json or text", clip(format))
	}
}

// authorizationText is an answer in one line: name=value, semicolons between.
func authorizationText(a *ops.Authorization) string {
	b := []byte("allowed=0;reason=")
	if a.Allowed {
		b[len("allowed=")] = '1'
	} else {
		b = append(b, *a.Reason...)
	}
	b = strconv.AppendUint(append(b, ";max_seconds="...), uint64(a.MaxSeconds), 10)
	if r := a.Reservation; r != nil {
		b = append(append(b, ";reservation="...), r.ID...)
		b = append(append(b, ";amount="...), r.Amount...)
		b = append(append(b, ";currency="...), r.Currency...)
	}
	return string(append(b, '\n'))
}

// decodeAuthorize reads a request. Nothing is believed of what it says of its body's type.
func decodeAuthorize(body []byte) (args ops.AuthorizeArgs, reserve bool, err error) {
	reserve = true
	set := func(name, value string) error {
		into := map[string]*string{"account": &args.Account, "vendor_account": &args.Vendor, "ip": &args.IP, "src": &args.Src, "number": &args.Number,
			"at": &args.At, "call_id": &args.CallID, "source": &args.Source, "seconds": &args.Seconds}[name]
		switch {
		case into != nil:
			*into = value
		case name != "reserve":
			return rating.Broken(clip(name), "unknown", "", "%.40q: want account, ip, src, number, vendor_account, at, call_id, source, seconds or reserve", name)
		case value == "false" || value == "0":
			reserve = false
		case value != "true" && value != "1":
			return rating.Broken(name, "boolean", "", "reserve %q: want true or false", clip(value))
		}
		return nil
	}
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '{' {
		err = decodeFlat(body, set)
	} else {
		err = decodeForm(body, set)
	}
	return args, reserve, err
}

// decodeFlat reads a JSON object of texts, numbers and booleans.
func decodeFlat(body []byte, set func(name, value string) error) (err error) {
	if !gjson.ValidBytes(body) {
		return rating.Broken("body", "json", "", `the body is not JSON: want {"account":…,"number":…}`)
	}
	gjson.ParseBytes(body).ForEach(func(name, v gjson.Result) bool {
		switch v.Type {
		case gjson.String:
			err = set(name.Str, v.Str)
		case gjson.Number, gjson.True, gjson.False:
			err = set(name.Str, v.Raw)
		case gjson.Null:
		default:
			err = rating.Broken(clip(name.Str), "type", "", "%s: want text or a number", clip(name.Str))
		}
		return err == nil
	})
	return err
}

func decodeForm(body []byte, set func(name, value string) error) error {
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) == 0 {
		return rating.Broken("body", "required", "", `the body is neither JSON nor a form: want {"account":…,"number":…} or account=…&number=…`)
	}
	for name, values := range form {
		if len(values) > 1 {
			return rating.Broken(clip(name), "unique", "", "%s: given twice", clip(name))
		}
		if err := set(name, strings.TrimSpace(values[0])); err != nil {
			return err
		}
	}
	return nil
}

// listReservations walks the open reservations by number, those that ?account= and ?call_id= pick.
func (a *API) listReservations(c *fiber.Ctx) error {
	return listed(c, func(v **ops.ReservedCall) string { return (*v).ID }, func(from uint64, n int) ([]*ops.ReservedCall, error) {
		return ops.ListReservations(c.UserContext(), a.Env, c.Query("account"), c.Query("call_id"), from, n)
	})
}

// extendReservation reserves more talk time.
func (a *API) extendReservation(c *fiber.Ctx) error {
	n, err := id(c, "reservation")
	if err != nil {
		return err
	}
	seconds, err := decodeSeconds(c.Body())
	if err != nil {
		return err
	}
	answer, err := ops.ExtendReservation(c.UserContext(), a.Env, n, seconds)
	if err != nil {
		return err
	}
	return sendAuthorization(c, answer)
}

// decodeSeconds reads {"seconds":…}, or a form of it.
func decodeSeconds(body []byte) (seconds string, err error) {
	set := func(name, value string) error {
		if name != "seconds" {
			return rating.Broken(clip(name), "unknown", "", "%.40q: want seconds", name)
		}
		seconds = value
		return nil
	}
	if body = bytes.TrimSpace(body); json.Valid(body) && len(body) > 0 && body[0] == '{' {
		err = decodeFlat(body, set)
	} else {
		err = decodeForm(body, set)
	}
	return seconds, err
}

// releaseReservation gives back what a call that did not come about would have cost.
func (a *API) releaseReservation(c *fiber.Ctx) error {
	n, err := id(c, "reservation")
	if err != nil {
		return err
	}
	r, err := ops.ReleaseReservation(c.UserContext(), a.Env, n)
	if err != nil {
		return err
	}
	return c.JSON(r)
}
