package kazoo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

// apiVersion is the release of Kazoo whose behaviour this is.
const apiVersion = "4.3.142"

// answer is what a handler returns.
type answer struct {
	status   int // 0: what the verb means
	data     any
	revision string // "stored" asks for one computed from data
	token    string // a new one, in place of the request's
	page     *page  // of a listing
	csv      []byte // instead of the envelope
	fileName string
}

// page says where in a listing an answer stands.
type page struct {
	size        int
	start, next string
}

// stored marks data as a document of the store, whose answers carry a revision.
const stored = "stored"

// success is the envelope of an answer, in the order in which Kazoo's documentation shows it.
type success struct {
	Data         any     `json:"data"`
	PageSize     *int    `json:"page_size,omitempty"`
	StartKey     string  `json:"start_key,omitempty"`
	NextStartKey string  `json:"next_start_key,omitempty"`
	Revision     string  `json:"revision,omitempty"`
	Timestamp    string  `json:"timestamp"`
	Version      string  `json:"version,omitempty"`
	Node         string  `json:"node"`
	RequestID    string  `json:"request_id"`
	Status       string  `json:"status"`
	AuthToken    string  `json:"auth_token,omitempty"`
	Tokens       *bucket `json:"tokens,omitempty"`
}

// bucket is Kazoo's rate limit; billd has none, so it is always full.
type bucket struct {
	Consumed  int `json:"consumed"`
	Remaining int `json:"remaining"`
}

// failed is the envelope of a failure.
type failed struct {
	Data      any    `json:"data"`
	Error     string `json:"error"`
	Message   string `json:"message"`
	Status    string `json:"status"`
	RequestID string `json:"request_id"`
	Timestamp string `json:"timestamp"`
	Node      string `json:"node"`
	AuthToken string `json:"auth_token,omitempty"`
}

const stampLayout = "2006-01-02T15:04:05"

func (a *API) send(c *fiber.Ctx, x *exchange, ans *answer) error {
	status := ans.status
	if status == 0 {
		status = http.StatusOK
		if x.method == http.MethodPut {
			status = http.StatusCreated
		}
	}
	headers(c, x)
	if ans.csv != nil {
		c.Set(fiber.HeaderContentType, "text/csv")
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+ans.fileName+`.csv"`)
		return c.Status(status).Send(ans.csv)
	}
	env := success{Data: ans.data, Timestamp: x.now.Format(stampLayout), Node: a.nodeName, RequestID: x.requestID, Status: "success",
		AuthToken: firstOf(ans.token, x.token), Revision: ans.revision}
	if x.claims != nil {
		env.Version, env.Tokens = apiVersion, &bucket{Consumed: 1, Remaining: 99}
	}
	if ans.page != nil {
		env.PageSize, env.StartKey, env.NextStartKey = &ans.page.size, ans.page.start, ans.page.next
	}
	if ans.revision == stored {
		b, err := encodeJSON(ans.data)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		env.Data, env.Revision = json.RawMessage(b), "1-"+hex.EncodeToString(sum[:16])
	}
	return sendJSON(c, status, env)
}

func (a *API) sendFailure(c *fiber.Ctx, x *exchange, f *failure) error {
	headers(c, x)
	if f.wait > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	}
	if f.allow != "" {
		c.Set(fiber.HeaderAllow, f.allow)
	}
	env := failed{Data: f.data, Error: strconv.Itoa(f.status), Message: f.message, Status: "error",
		RequestID: x.requestID, Timestamp: x.now.Format(stampLayout), Node: a.nodeName}
	if env.Data == nil {
		env.Data = document{}
	}
	if x.claims != nil {
		env.AuthToken = x.token
	}
	return sendJSON(c, f.status, env)
}

func sendJSON(c *fiber.Ctx, status int, v any) error {
	b, err := encodeJSON(v)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(status).Send(b)
}

// headers sets what every answer carries.
func headers(c *fiber.Ctx, x *exchange) {
	c.Set("X-Request-Id", x.requestID)
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "Content-Type, Accept, Authorization, Cache-Control, If-Match, X-Auth-Token, X-Request-ID, X-HTTP-Method-Override, X-Requested-With")
	c.Set(fiber.HeaderAccessControlExposeHeaders, "Content-Type, X-Auth-Token, X-Request-ID, Location, Etag")
	c.Set(fiber.HeaderAccessControlMaxAge, strconv.Itoa(int((24 * time.Hour).Seconds())))
	c.Set(fiber.HeaderCacheControl, "no-store") // answers carry tokens
}
