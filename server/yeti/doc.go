// Package yeti serves Yeti's REST API: the admin resources below /api/rest/admin and the customer's
// below /api/rest/customer/v1, wire-compatible with Yeti of February 2026.
//
// Each resource is a table of attributes in a file of its own (see package jsonapi); what is not a
// resource — signing in, balances — stands beside it. The words on the wire are Yeti's, the rules
// billd's: nothing is decided here that storage or rating could decide.
//
// It imports storage, rating, server/auth, server/jsonapi and fiber, and no other dialect.
//
//	api, err := yeti.New(yeti.Options{DB: db, Tokens: tokens, Passwords: passwords, Throttle: throttle})
//	…
//	api.Mount(app)
package yeti
