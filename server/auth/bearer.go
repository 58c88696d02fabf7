package auth

import (
	"encoding/base64"
	"strings"
)

// SessionCookie is the cookie that carries a Yeti customer token.
const SessionCookie = "_yeti_customer_v1_session"

// Carrier is one place of a request that may carry a token. Sent tells an empty value from none.
type Carrier struct {
	Text string
	Sent bool
}

// YetiAdmin returns the token of a Yeti admin request: the query parameter token if it was sent,
// even empty, else the last word of the Authorization header. "" means none.
// Source: contracts, Yeti 1.3.
func YetiAdmin(query, authorization Carrier) string {
	if query.Sent {
		return query.Text
	}
	return lastWord(authorization.Text)
}

// YetiCustomer returns the token of a Yeti customer request: the last word of the Authorization
// header, or the cookie when there is no such header. fromCookie asks the caller to issue the
// cookie again. Source: contracts, Yeti 1.4.
func YetiCustomer(authorization, cookie Carrier) (token string, fromCookie bool) {
	if authorization.Sent {
		return lastWord(authorization.Text), false
	}
	return cookie.Text, cookie.Sent
}

// Bearer returns the token of "Bearer <token>", or "" for anything else: a bare token, another
// scheme, a second word. The scheme's case does not matter (RFC 9110, 11.1). For PortSIP and the
// native API.
func Bearer(authorization string) string {
	word := strings.Fields(authorization)
	if len(word) != 2 || !strings.EqualFold(word[0], "bearer") {
		return ""
	}
	return word[1]
}

// BasicPassword returns the password of an "Authorization: Basic …" header, "" when it is none. Switches
// carry a token as the password of any name.
func BasicPassword(authorization string) string {
	word := strings.Fields(authorization)
	if len(word) != 2 || !strings.EqualFold(word[0], "basic") {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(word[1])
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(string(text), ":")
	return password
}

// KazooCarriers is where a Kazoo request may carry its token; "" is not there.
type KazooCarriers struct {
	XAuthToken    string // header X-Auth-Token
	Query         string // parameter auth_token
	Envelope      string // auth_token in the root of the body
	Authorization string // header, "Bearer <token>"
}

// Token returns the first token that was sent, or "". Source: contracts, Kazoo 2.1.
func (k KazooCarriers) Token() string {
	for _, text := range []string{k.XAuthToken, k.Query, k.Envelope} {
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return Bearer(k.Authorization)
}

// lastWord returns the last word of text, or "".
func lastWord(text string) string {
	text = strings.TrimRight(text, whitespace)
	return text[strings.LastIndexAny(text, whitespace)+1:]
}

const whitespace = " \t\r\n\v\f"
