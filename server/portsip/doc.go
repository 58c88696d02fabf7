// Package portsip speaks the billing part of PortSIP PBX's REST API, versions 22.0 to 22.3: call
// rates, balances, billing settings, call records, and the sign-in that leads there.
//
// It owns paths, the bearer header, the query grammar, the error form and the translation between
// JSON and the domain; rules are rating's and storage's. It imports fiber, rating, storage and
// server/auth, and no other dialect.
//
// # What stands for what
//
//	call rates    the rates of deck default that are in force: outbound, enabled, valid now
//	tenant        the token's account; an operator's is account 1
//	tenant users  the accounts right below the tenant's
//	description   the rate's name, which imports fill and invoices print
//	ids           base64 of decimal digits: 10^17 + the number of a rate or account, a call's number
//
// A price list has one price for a prefix at a time, so a rate that an import has ended, or that
// begins next week, is not shown here; Yeti's destinations and the native API show all of them.
//
// A rate may hold more decimals than the five that PortSIP knows. They are shown rounded, and writing
// back what is shown leaves them as they are.
//
// # What is not offered
//
// Call reports (/api/call_reports, /api/completed_call_reports) are made by the PBX from queues and
// extension groups that billd does not know, and one-time passwords (/api/auth/send_otp, verify_otp)
// belong to a second factor that billd does not have. Both are 404. Tenants and users are made by the
// PBX, or through Kazoo's accounts, so /api/tenants and the rest of /api/users are 404 as well.
//
// # Example
//
//	api := portsip.New(portsip.Options{DB: db, Tokens: tokens, Passwords: passwords, Throttle: throttle, Log: log})
//	api.Mount(app)
//
//	$ curl -H "Authorization: Bearer $TOKEN" \
//	    'localhost:8090/api/call_rates?filter=startswith(prefix,%2744%27)&orderby=price_n%20desc&top=1'
//	{"count":212,"items":[{"id":"MTAwMDAwMDAwMDAwMDAwMDQy","prefix":"4487",…}]}
package portsip
