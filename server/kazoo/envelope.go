package kazoo

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

func (x *exchange) readMedia(header string) error {
	if strings.TrimSpace(header) == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil {
		media, _, _ = strings.Cut(strings.ToLower(header), ";")
	}
	x.media, x.boundary = strings.Clone(strings.TrimSpace(media)), strings.Clone(params["boundary"])
	if x.media == "" {
		x.media = "unknown"
	}
	return nil
}

// maxUpload bounds an uploaded file in bytes. It is read after the login.
const maxUpload = 64 << 20

// body reads the request's body, at most limit bytes of it, as it was sent.
func body(c *fiber.Ctx, limit int) ([]byte, error) {
	r := c.Request()
	if encoding := r.Header.ContentEncoding(); len(encoding) > 0 && !bytes.EqualFold(encoding, []byte("identity")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "a compressed body is not accepted")
	}
	if r.Header.ContentLength() > limit {
		drain(r)
		return nil, tooLarge()
	}
	if !r.IsBodyStream() {
		if b := r.Body(); len(b) <= limit {
			return bytes.Clone(b), nil
		}
		return nil, tooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(r.BodyStream(), int64(limit)+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "parse_error", "the body ended too early")
	}
	if len(b) > limit {
		drain(r)
		return nil, tooLarge()
	}
	return b, nil
}

// maxDrain is how many bytes of a refused body are read and forgotten, so that its sender gets to the
// answer instead of a broken connection.
const maxDrain = 32 << 20

func drain(r *fasthttp.Request) {
	if r.IsBodyStream() {
		io.CopyN(io.Discard, r.BodyStream(), maxDrain) // whatever goes wrong, the answer is the same
	}
}

// envelope reads the JSON body.
func (x *exchange) envelope(raw []byte) error {
	v, err := decodeJSON(raw)
	if err != nil {
		return invalid("json", "invalid", err.Error(), "target", "body")
	}
	root, ok := v.(document)
	if !ok {
		return &failure{status: http.StatusBadRequest, message: "invalid request envelope", data: words("the request must be a JSON object")}
	}
	x.root, x.data = root, root["data"]
	if _, sent := root["data"]; !sent && (x.method != http.MethodGet && x.method != http.MethodDelete || len(root) > 0 && !metadataOnly(root)) {
		f := invalid("data", "required", "Field is required but missing")
		f.message = "invalid request envelope"
		return f
	}
	switch x.data.(type) {
	case document, []any, nil:
		return nil
	}
	f := invalid("data", "type", "Value did not match type object", "target", "object", "value", x.data)
	f.message = "invalid request envelope"
	return f
}

// metadataOnly reports whether a GET's or DELETE's body says nothing but how to treat the request.
func metadataOnly(root document) bool {
	for k := range root {
		switch k {
		case "auth_token", "verb", "accept_charges", "merge", "action", "page_size", "accept":
		default:
			return false
		}
	}
	return true
}
