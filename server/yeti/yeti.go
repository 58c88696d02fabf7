package yeti

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/server/auth"
	"billd/server/jsonapi"
	"billd/storage"
)

// The paths of the two APIs.
const (
	AdminBase    = "/api/rest/admin"
	CustomerBase = "/api/rest/customer/v1"
)

// Options are what the dialect works with. DB, Tokens, Passwords and Throttle are required.
type Options struct {
	DB        *storage.DB
	Tokens    *auth.Tokens
	Passwords *auth.Passwords
	Throttle  *auth.Throttle
	TokenTTL  time.Duration // of both APIs' tokens; 0 is the surface's default
	Log       *slog.Logger  // nil is slog.Default
}

// API is both of Yeti's APIs.
type API struct {
	o               Options
	admin, customer *jsonapi.API
}

// New declares the resources. Fails if a declaration is wrong.
func New(o Options) (*API, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &API{o: o}
	var err error
	a.admin, err = jsonapi.New(jsonapi.Config{DB: o.DB, Base: AdminBase, Log: o.Log, Authenticate: a.authenticateAdmin, Resources: a.adminResources(), Routes: adminRoutes})
	if err != nil {
		return nil, err
	}
	a.customer, err = jsonapi.New(jsonapi.Config{DB: o.DB, Base: CustomerBase, Log: o.Log, Authenticate: a.authenticateCustomer, ReadOnly: true, Resources: a.customerResources(), Routes: customerRoutes})
	return a, err
}

// adminResources lists what the admin API serves.
func (a *API) adminResources() []jsonapi.Declared {
	return []jsonapi.Declared{
		contractors, contacts, smtpConnections, accounts, balances, balanceCorrections, payments,
		rateplans, rateGroups, a.apiAccesses(), timezones,
		destinations, cdrs, countries, networks, networkTypes,
		invoices, originatedDestinations, originatedNetworks, terminatedDestinations, terminatedNetworks, invoiceServices,
		serviceTypes, services, transactions, packageCounters, destinationNextRates, a.cdrExports(),
		customersAuths, dialpeers, dialpeerNextRates, invoiceTemplates, a.customerTokens(),
	}
}

// customerResources lists what the customer API serves.
func (a *API) customerResources() []jsonapi.Declared {
	return []jsonapi.Declared{
		customerAccounts(), customerPayments(), customerInvoices(), customerCDRs(), incomingCDRs(),
		customerRateplans(), customerRates(), checkRates, customerServices(), customerTransactions(), a.customerExports(),
		customerCountries(), customerNetworks(), customerNetworkTypes(), customerNetworkPrefixes(),
	}
}

// Mount puts both APIs on app. Each is an app of its own, with its own words for what fiber refuses.
func (a *API) Mount(app *fiber.App) {
	admin := fiber.New(fiber.Config{ErrorHandler: a.admin.ErrorHandler})
	admin.Post("/auth", jsonapi.Framed(a.signInAdmin))
	admin.All("/*", a.admin.Serve)
	app.Mount(AdminBase, admin)

	customer := fiber.New(fiber.Config{ErrorHandler: a.customer.ErrorHandler})
	customer.Post("/auth", jsonapi.Framed(a.signInCustomer))
	customer.Get("/auth", jsonapi.Framed(a.showSignIn))
	customer.Delete("/auth", jsonapi.Framed(a.signOutCustomer))
	customer.All("/*", a.customer.Serve)
	app.Mount(CustomerBase, customer)
}

// instant shortens the addresses of moments.
type instant = time.Time

// decimal spells a number as an id.
func decimal[N ~uint64](n N) string { return strconv.FormatUint(uint64(n), 10) }

// Endpoints lists what both APIs serve, without their sign-ins, which fiber itself routes.
func (a *API) Endpoints() []jsonapi.Endpoint {
	return append(a.admin.Endpoints(), a.customer.Endpoints()...)
}
