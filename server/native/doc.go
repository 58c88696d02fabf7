// Package native is billd's own API, /api/v1: what switches, scripts and the web UI speak.
//
// Requests and answers are JSON; a bearer of an operator (admin) or a native token is asked for
// everywhere but on the OpenAPI document; a switch may send it as a Basic password. Errors are {"error":{"code","field","message"}}.
package native
