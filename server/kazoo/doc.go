// Package kazoo speaks the v2 API of 2600Hz Kazoo (Crossbar 4.3): logins, the account tree, services
// and their plans, ledgers, rates and CDRs, in Kazoo's envelope, under /v2.
//
// Every request goes down one pipeline (pipeline.go), because clients rely on which of several
// failures is reported: body, token, method, account, login, privilege, media type, and only then the
// resource itself. What there is to call is one table (routes.go) of path × verb → handler and
// privilege. A handler reads its request, runs one View or Update of the store, and returns an
// answer; it knows nothing of fiber. Refusals are failures (failure.go); errors of the domain become
// failures there and nowhere else.
//
// Documents are kept as they were sent: a JSON object is a map whose numbers are json.Number, so that
// amounts reach rating.ParseMoney as the digits that the client wrote.
//
// It imports storage, rating, rating/plan and server/auth, and fiber.
//
// # Example
//
//	api := kazoo.New(kazoo.Options{DB: db, Tokens: tokens, Secrets: secrets, Passwords: passwords, Throttle: throttle, Log: log})
//	api.Mount(app)
//
//	PUT /v2/api_auth {"data":{"api_key":"…"}}    → 201, a token in auth_token
//	GET /v2/accounts/{ID}/services/summary       → what the account has and pays
package kazoo
