// Package ui serves the operator's console: log in, figures, accounts, rates, calls, suspense, invoices.
//
// Pages are made on the server and work without script. A handler is decode → one View → render; what
// changes anything is a POST with the session's form token. A session is a native-surface token of an
// operator in a cookie that scripts cannot read and other sites cannot send.
//
// Routes hang on the app one by one, never on a prefix that would swallow other surfaces' refusals. An
// error inside a page becomes a page too.
//
// It may import storage, rating, server/auth, server/ops and web.
//
// # Example
//
//	ui.New(ui.Options{DB: db, Access: access, Env: env, Log: log}).Mount(app)
package ui
