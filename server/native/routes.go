package native

import (
	"billd/rating/cdrformat"

	"github.com/gofiber/fiber/v2"
)

// table is every operation behind the token.
func (a *API) table() []route {
	return []route{
		{fiber.MethodPost, "/cdrs", a.postCDRs},
		{fiber.MethodPost, "/cdrs/freeswitch", a.postSwitch(cdrformat.FreeSWITCHJSON)},
		{fiber.MethodPost, "/cdrs/asterisk", a.postSwitch(cdrformat.AsteriskJSON)},
		{fiber.MethodPost, "/cdrs/kamailio", a.postSwitch(cdrformat.Kamailio)},
		{fiber.MethodPost, "/cdrs/opensips", a.postSwitch(cdrformat.OpenSIPS)},
		{fiber.MethodGet, "/cdrs", a.listCDRs},
		{fiber.MethodGet, "/cdrs/:id", a.showCDR},
		{fiber.MethodPost, "/authorize", a.authorize},
		{fiber.MethodGet, "/reservations", a.listReservations},
		{fiber.MethodPost, "/reservations/:id/extend", a.extendReservation},
		{fiber.MethodPost, "/reservations/:id/release", a.releaseReservation},
		{fiber.MethodGet, "/accounts", a.listAccounts},
		{fiber.MethodGet, "/accounts/:id", a.showAccount},
		{fiber.MethodPatch, "/accounts/:id", a.patchAccount},
		{fiber.MethodPost, "/import/cdrs", a.importCDRs},
		{fiber.MethodPost, "/import/invoices", a.importInvoices},
		{fiber.MethodPost, "/import/rates", a.importRates},
		{fiber.MethodPost, "/import/rates/undo", a.undoImport},
		{fiber.MethodGet, "/import/profiles", a.listProfiles},
		{fiber.MethodGet, "/import/profiles/:name", a.showProfile},
		{fiber.MethodPut, "/import/profiles/:name", a.saveProfile},
		{fiber.MethodDelete, "/import/profiles/:name", a.deleteProfile},
		{fiber.MethodGet, "/explain", a.explain},
		{fiber.MethodGet, "/gaps", a.gaps},
		{fiber.MethodGet, "/nas", a.listNAS},
		{fiber.MethodGet, "/settings", a.showSettings},
		{fiber.MethodPatch, "/settings", a.patchSettings},
		{fiber.MethodPost, "/rate", a.rate},
		{fiber.MethodGet, "/outbox", a.listOutbox},
		{fiber.MethodGet, "/outbox/:id", a.showOutbox},
		{fiber.MethodPost, "/outbox/retry", a.retryOutbox},
		{fiber.MethodPost, "/outbox/drop", a.dropOutbox},
		{fiber.MethodGet, "/suspense", a.listSuspense},
		{fiber.MethodGet, "/suspense/:id", a.showSuspense},
		{fiber.MethodPatch, "/suspense/:id", a.patchSuspense},
		{fiber.MethodPost, "/suspense/retry", a.retrySuspense},
		{fiber.MethodPost, "/data-sessions", a.postDataSessions},
		{fiber.MethodGet, "/data-sessions", a.listDataSessions},
		{fiber.MethodGet, "/data-usage", a.dataUsage},
		{fiber.MethodGet, "/data-unassigned", a.unassignedData},
		{fiber.MethodGet, "/data-plans", a.listDataPlans},
		{fiber.MethodPost, "/data-plans", a.addDataPlan},
		{fiber.MethodDelete, "/data-plans/:name", a.deleteDataPlan},
		{fiber.MethodGet, "/data-plans/:name/explain", a.explainDataPlan},
		{fiber.MethodGet, "/data-subscriptions", a.listDataSubscriptions},
		{fiber.MethodPost, "/data-subscriptions", a.addDataSubscription},
		{fiber.MethodPost, "/data-subscriptions/:id/end", a.endDataSubscription},
		{fiber.MethodGet, "/data-held", a.listHeldData},
		{fiber.MethodPost, "/data-held/retry", a.retryHeldData},
		{fiber.MethodPost, "/data-held/drop", a.dropHeldData},
	}
}
