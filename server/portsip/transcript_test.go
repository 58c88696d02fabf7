package portsip

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// secret is what differs from run to run in an answer.
var secret = regexp.MustCompile(`("(?:access|refresh)_token":)"[^"]+"`)

// TestTranscripts compares whole answers with what testdata/*.http says; -update writes them anew.
func TestTranscripts(t *testing.T) {
	for _, tt := range []struct {
		file  string
		steps func(r *rig, say func(token, method, path, body string))
	}{
		{"call_rates", func(r *rig, say func(string, string, string, string)) {
			say(r.operator, "POST", "/api/call_rates", `{"prefix":"text","type":"LOCAL","free_seconds":1,"grace_period":1,"interval_1":1,"interval_n":1,"connect_fee":1,"postcall_surcharge":1,"price_1":1,"price_n":1,"description":"text"}`)
			id := encodeID(idBase + 1)
			say(r.operator, "GET", "/api/call_rates/"+id, "")
			say(r.operator, "POST", "/api/call_rates/"+id, `{"price_n":0.22222,"description":null}`)
			say(r.operator, "GET", "/api/call_rates?filter=startswith(prefix,%27te%27)&orderby=price_n%20desc&top=1", "")
			say(r.operator, "GET", "/api/call_rates/export", "")
			say(r.operator, "POST", "/api/call_rates/"+id+"/destroy", "")
			say(r.operator, "GET", "/api/call_rates/"+id, "")
			say(r.operator, "GET", "/api/call_rates", "")
		}},
		{"refusals", func(r *rig, say func(string, string, string, string)) {
			say("", "GET", "/api/call_rates", "")
			say(r.user, "GET", "/api/call_rates", "")
			say(r.operator, "GET", "/api/call_rates/abc", "")
			say(r.operator, "DELETE", "/api/call_rates/abc", "")
			say(r.operator, "POST", "/api/call_rates", `{"prefix":"","type":"LOCAL","free_seconds":"0","grace_period":0,"interval_1":0,"interval_n":60,"connect_fee":0,"postcall_surcharge":0,"price_1":-1}`)
			say(r.operator, "GET", "/api/call_rates?top=0&skip=-1&orderby=colour&filter=price_1%20gt%20%27a%27", "")
			say(r.operator, "POST", "/api/call_reports", "{}")
		}},
		{"sign_in", func(r *rig, say func(string, string, string, string)) {
			say("", "POST", "/api/auth/sign_in", `{"username":"101","password":"correct horse","domain":"north.example"}`)
			say("", "POST", "/api/auth/sign_in", `{"username":"101","password":"wrong"}`)
			say("", "POST", "/api/login/oauth/token", "grant_type=password&username=anna&password=wrong")
			say("", "POST", "/api/login/oauth/token", "grant_type=refresh_token&refresh_token=x")
			say("", "POST", "/api/auth/send_otp", `{"token":"x"}`)
			say(r.user, "GET", "/api/auth/user", "")
			say(r.user, "GET", "/api/login", "")
			say(r.user, "POST", "/api/logout", "")
			say(r.admin, "POST", "/api/auth/sign_out", "")
		}},
		{"tenant", func(r *rig, say func(string, string, string, string)) {
			say(r.admin, "GET", "/api/tenant", "")
			say(r.admin, "POST", "/api/tenant/billing", `{"enabled":true,"type":"ONLINE"}`)
			say(r.admin, "GET", "/api/tenant/billing", "")
			say(r.admin, "POST", "/api/tenant/balance", `{"balance":12.34567}`)
			say(r.admin, "GET", "/api/tenant/balance", "")
		}},
		{"calls", func(r *rig, say func(string, string, string, string)) {
			r.create(`{"prefix":"44"}`)
			id := encodeID(uint64(r.charge(r.tenant, "442071234567", noon.Add(-time.Hour), 61)))
			say(r.admin, "GET", "/api/cdrs", "")
			say(r.admin, "GET", "/api/cdrs/"+id, "")
			say(r.admin, "GET", "/api/user/cdrs/"+id, "")
			say(r.admin, "GET", "/api/calllogs/"+id, "")
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := newRig(t)
			var b strings.Builder
			tt.steps(r, func(token, method, path, body string) {
				a := r.send(token, method, path, body)
				fmt.Fprintf(&b, "%s %s\n", method, path)
				if body != "" {
					fmt.Fprintf(&b, "\n%s\n", body)
				}
				fmt.Fprintf(&b, "\n%s %s\n", a.Proto, a.Status)
				a.Header.Del("Date")
				for _, name := range slices.Sorted(maps.Keys(a.Header)) {
					value := a.Header.Get(name)
					if name == "Content-Length" && secret.MatchString(a.body) {
						value = "…"
					}
					fmt.Fprintf(&b, "%s: %s\n", name, value)
				}
				fmt.Fprintf(&b, "\n%s\n---\n", secret.ReplaceAllString(a.body, `$1"…"`))
			})
			path := filepath.Join("testdata", tt.file+".http")
			if *update {
				must(t, os.WriteFile(path, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			must(t, err)
			if b.String() != string(want) {
				t.Errorf("%s differs:\n%s", path, b.String())
			}
		})
	}
}

func TestFaultsOutsideHandlersHaveTheForm(t *testing.T) {
	api := New(Options{})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error {
		switch c.Query("fault") {
		case "413":
			return fiber.ErrRequestEntityTooLarge
		case "500":
			return fmt.Errorf("open /var/lib/billd: broken")
		}
		return fiber.ErrRequestHeaderFieldsTooLarge
	})
	api.Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go app.Listener(ln)
	defer app.ShutdownWithTimeout(5 * time.Second)
	for _, tt := range []struct {
		name, path string
		status     int
		code       string
	}{
		{"a body beyond the server's limit", "/api/call_rates?fault=413", 413, codeTooLarge},
		{"a head beyond the server's limit", "/api/users/x/balance", 431, codeInvalid},
		{"a fault of billd's", "/api/tenant/balance?fault=500", 500, codeUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := http.Get("http://" + ln.Addr().String() + tt.path)
			must(t, err)
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			must(t, err)
			answer{res, string(b)}.want(t, tt.status, tt.code)
			if strings.Contains(string(b), "/var/lib") {
				t.Errorf("body = %s, which shows a path", b)
			}
		})
	}
}
