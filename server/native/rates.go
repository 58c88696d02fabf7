package native

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"path"
	"strings"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// maxUpload bounds a price list in bytes: a million rates take about 60 MB.
const maxUpload = 512 << 20

// formMemory is how much of a multipart upload stays in memory; the rest lies in a temporary file.
const formMemory = 1 << 20

// errTooLarge is what reading past maxUpload fails with.
var errTooLarge = rating.Errorf(rating.Limit, "file", "the upload is larger than %d bytes", maxUpload)

// capped fails with errTooLarge past maxUpload, where io.LimitReader would end.
type capped struct {
	r    io.Reader
	left int64
}

// Read reads up to what is left.
func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooLarge
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// importRates imports a price list: the body itself, or the file part of a multipart form. The options
// of import-rates are query parameters or form fields.
//
// It answers the report: 200 when rates were imported, some lines rejected or not, 422 when none could be.
func (a *API) importRates(c *fiber.Ctx) error {
	up, err := openUpload(c)
	if err != nil {
		return err
	}
	defer up.close()
	args := ops.ImportRatesArgs{
		Input: ops.Input{Name: up.name, Size: up.size}, Deck: up.value("deck"), Mode: up.value("mode"), Effective: up.value("effective"),
		Currency: up.value("currency"), Preset: up.value("preset"), Vendor: up.value("vendor"), Delimiter: up.value("delimiter"),
		Decimal: up.value("decimal"), Dates: up.value("dates"), Timezone: up.value("timezone"), Prepend: up.value("prepend"),
		Impact: up.value("impact"), Profile: up.value("profile"), Sheet: up.value("sheet"), Strip: up.list("strip"), Jurisdiction: up.value("jurisdiction"), Increment: up.value("increment"),
		Plan: up.value("plan"), BareUnit: up.value("bare_unit"),
	}
	if args.DryRun, err = onOff("dry_run", up.value("dry_run")); err != nil {
		return err
	}
	if args.Rerate, err = onOff("rerate", up.value("rerate")); err != nil {
		return err
	}
	io := &ops.IO{In: up.file, Progress: func(int64, int64, string) {}}
	report, err := ops.ImportRates(c.UserContext(), a.Env, args, io, func(*ops.RatesReport) error { return nil })
	switch {
	case errors.Is(err, errTooLarge):
		return fiber.ErrRequestEntityTooLarge
	case report == nil || err != nil && rating.KindOf(err) != rating.Internal:
		return err
	case err != nil && report.Read == report.Rejected:
		report.Error = err.Error()
		return c.Status(fiber.StatusUnprocessableEntity).JSON(report)
	case err != nil:
		return err
	}
	return c.JSON(report)
}

// upload is a file that came with a request, and the fields beside it.
type upload struct {
	c    *fiber.Ctx
	name string
	size int64
	file io.Reader
	form *multipart.Form
	open multipart.File
}

func openUpload(c *fiber.Ctx) (*upload, error) {
	body := io.Reader(bytes.NewReader(nil))
	if stream := c.Context().RequestBodyStream(); stream != nil {
		body = &capped{stream, maxUpload}
	} else {
		body = bytes.NewReader(c.Body())
	}
	u := &upload{c: c, name: "upload", file: body}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		u.name = cmp.Or(fileName(c.Query("file")), u.name)
		u.size = int64(max(c.Request().Header.ContentLength(), 0))
		return u, nil
	}
	if u.form, err = multipart.NewReader(body, params["boundary"]).ReadForm(formMemory); err != nil {
		if errors.Is(err, errTooLarge) {
			return nil, fiber.ErrRequestEntityTooLarge
		}
		return nil, rating.Broken("body", "format", "", "the body is not a multipart form")
	}
	for _, part := range []string{"file", "rates", "csv"} {
		if files := u.form.File[part]; len(files) > 0 {
			if u.open, err = files[0].Open(); err != nil {
				u.close()
				return nil, err
			}
			u.name, u.size, u.file = cmp.Or(fileName(files[0].Filename), u.name), files[0].Size, u.open
			return u, nil
		}
	}
	u.close()
	return nil, rating.Broken("file", "required", "", "the form has no part named file")
}

// fileName returns the last part of a client's file name, without what a terminal would obey.
func fileName(s string) string {
	s = path.Base("/" + strings.ReplaceAll(s, `\`, "/"))
	if s == "/" {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// value returns an option, from the form or else the query.
func (u *upload) value(name string) string {
	if u.form != nil {
		if v := u.form.Value[name]; len(v) > 0 {
			return v[0]
		}
	}
	return u.c.Query(name)
}

// list returns the parts of an option that commas part, none where it is not given.
func (u *upload) list(name string) []string {
	if v := u.value(name); v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

func (u *upload) close() {
	if u.open != nil {
		u.open.Close()
	}
	if u.form != nil {
		u.form.RemoveAll()
	}
}

// explain answers what a call costs and why.
func (a *API) explain(c *fiber.Ctx) error {
	args := ops.ExplainArgs{Number: c.Query("number"), Seconds: c.Query("seconds"), Account: c.Query("account"), Deck: c.Query("deck"), Vendor: c.Query("vendor"), At: c.Query("at")}
	e, err := ops.Explain(c.UserContext(), a.Env, args)
	if err != nil {
		return err
	}
	return c.JSON(e)
}
