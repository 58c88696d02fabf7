package jsonapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
)

// accepts checks the Accept header.
func (k *call) accepts() error {
	accept := k.c.Get("Accept")
	if strings.TrimSpace(accept) == "" {
		return nil
	}
	for entry := range strings.SplitSeq(accept, ",") {
		entry = strings.TrimSpace(entry)
		if entry == MediaType || strings.HasPrefix(entry, "*/*") {
			return nil
		}
	}
	return problem(406, "406", "Not acceptable", "All requests must use the '"+MediaType+
		"' Accept without media type parameters. This request specified '"+clip(accept)+"'.")
}

// mediaType checks the Content-Type of a request that writes.
func (k *call) mediaType() error {
	sent, _, _ := strings.Cut(k.c.Get("Content-Type"), ";")
	if sent = strings.TrimSpace(sent); strings.EqualFold(sent, MediaType) {
		return nil
	}
	return problem(415, "415", "Unsupported media type", "All requests that create or update must use the '"+MediaType+
		"' Content-Type. This request specified '"+clip(sent)+"'.")
}

// params checks Accept and takes the query apart.
func (k *call) params() (*params, error) {
	if err := k.accepts(); err != nil {
		return nil, err
	}
	return parseParams(string(k.c.Request().URI().QueryString()))
}

// body reads the request document, bounded.
func (k *call) body() ([]byte, error) {
	large := problem(413, "413", "Payload Too Large", "The request body exceeds "+strconv.Itoa(maxBody)+" bytes.")
	req := k.c.Request()
	if req.Header.ContentLength() > maxBody {
		return nil, large
	}
	if stream := k.c.Context().RequestBodyStream(); stream != nil {
		b, err := io.ReadAll(io.LimitReader(stream, maxBody+1))
		if err != nil {
			return nil, BadRequest("the request body ended early")
		}
		if len(b) > maxBody {
			return nil, large
		}
		return b, nil
	}
	if b := req.Body(); len(b) <= maxBody {
		return slices.Clone(b), nil
	}
	return nil, large
}

// send writes a document with its headers; 304 when the client has it already.
func (k *call) send(status int, doc []byte) error {
	sum := sha256.Sum256(doc)
	etag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	c := k.c
	c.Set("Vary", "Accept")
	c.Set("Etag", etag)
	c.Set("Cache-Control", "max-age=0, private, must-revalidate")
	if status == fiber.StatusOK && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) && matches(c.Get("If-None-Match"), etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set("Content-Type", MediaType)
	c.Status(status).Response().SetBodyRaw(doc)
	return nil
}

// matches compares weakly, as If-None-Match does.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// noContent ends a write that answers with nothing.
func (k *call) noContent() error {
	k.c.Set("Cache-Control", "no-cache")
	k.c.Status(fiber.StatusNoContent)
	return nil
}

func isNotFound(err error) bool {
	return err != nil && (rating.KindOf(err) == rating.NotFound || isNoRecord(err))
}

func isNoRecord(err error) bool {
	var ps Problems
	return errors.As(err, &ps) && len(ps) > 0 && ps[0].Status == 404
}
