package native

import (
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// maxSource bounds the name of a source.
const maxSource = 64

// postSwitch charges what a switch posts of its own accord, in the switch's own format. It answers when all
// is durable: 200 also for what is there already and for what waits in suspense, because a switch sends
// again, and files for ever, what gets any other answer. Nothing is believed of what the request says of
// its body.
func (a *API) postSwitch(format cdrformat.Format) fiber.Handler {
	return func(c *fiber.Ctx) error {
		o, err := a.switchOptions(c, format)
		if err != nil {
			return err
		}
		return a.postRecords(c, o)
	}
}

// postRecords charges a body of records that o says how to read.
func (a *API) postRecords(c *fiber.Ctx, o cdrformat.Options) error {
	body := string(c.Body())
	if strings.TrimSpace(body) == "" {
		return rating.Broken("body", "required", "", "the body is empty: want a call record")
	}
	var records []storage.Record
	skipped := 0
	o.Apart = true
	err := cdrformat.ReadBody(body, o, func(call *rating.Call, rec cdrformat.Record) error {
		if rec.Skipped != "" {
			skipped++
			return nil
		}
		if len(records) == maxRecords {
			return tooMany()
		}
		if rec.Bad != "" {
			records = append(records, unreadable(rec.Raw, o.Source, rec.Bad))
			return nil
		}
		records = append(records, storage.Record{Call: call, Half: rec.Half})
		return nil
	})
	if err != nil {
		return err
	}
	var verdicts []rating.Verdict
	if len(records) > 0 {
		if verdicts, err = a.Queue.Submit(c.UserContext(), records); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	answer := appendVerdicts(nil, verdicts)
	answer = append(answer[:len(answer)-1], `,"skipped":`...)
	return c.Send(append(strconv.AppendInt(answer, int64(skipped), 10), '}'))
}

// said is a value of the address. FreeSWITCH glues ?uuid= to an address that has a query already, so a value ends at
// the next question mark.
func saidIn(c *fiber.Ctx, name string) string {
	value, _, _ := strings.Cut(c.Query(name), "?")
	return strings.Clone(value)
}

// sourceOptions reads how the records of the source that the address names are read: by its profile, if it has one.
func (a *API) sourceOptions(c *fiber.Ctx) (o cdrformat.Options, profiled bool, err error) {
	name := saidIn(c, "source")
	if len(name) > maxSource {
		return o, false, rating.Broken("source", "maxLength", "", "source: more than %d characters", maxSource)
	}
	s := a.DB.Catalog().Source(name)
	o, err = ops.SourceOptions(s)
	o.Source = name
	return o, s != nil, err
}

// switchOptions reads the address: source, legs, zone and format, and what the source's profile says beside them.
func (a *API) switchOptions(c *fiber.Ctx, format cdrformat.Format) (o cdrformat.Options, err error) {
	said := func(name string) string { return saidIn(c, name) }
	if o, _, err = a.sourceOptions(c); err != nil {
		return o, err
	}
	if o.Format == cdrformat.Auto {
		o.Format = format
	}
	if o.Format.Source() != format.Source() {
		return o, rating.Broken("source", "enum", "", "source %s is of format %s, not one of %s", o.Source, o.Format, format.Source())
	}
	if name := said("format"); name != "" {
		if o.Format, err = cdrformat.ParseFormat(name); err != nil {
			return o, err
		}
		if o.Format.Source() != format.Source() {
			return o, rating.Broken("format", "enum", "", "format %.40q is not one of %s", name, format.Source())
		}
	}
	if legs := said("legs"); legs != "" {
		if o.Legs, err = cdrformat.ParseLegs(legs); err != nil {
			return o, err
		}
	}
	if o.Source == "" {
		o.Source = o.Format.Source()
	}
	if zone := said("zone"); zone != "" {
		if o.Zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
			return o, rating.Broken("zone", "zone", "", "zone %.40q: want the name of a time zone, such as Europe/Berlin", zone)
		}
	}
	return o, nil
}
