package native

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"billd/storage"
)

func loadDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// toDocument spells a fiber path as the document does.
var toDocument = regexp.MustCompile(`:(\w+)`)

func TestTheDocumentListsEveryRouteAndNoOther(t *testing.T) {
	doc := loadDocument(t)
	var got, want []string
	for _, r := range (&API{}).table() {
		want = append(want, r.method+" "+toDocument.ReplaceAllString(r.path, "{$1}"))
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			got = append(got, method+" "+path)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("document has %q, routes are %q", got, want)
	}
}

// livecase is one request and the status that it must get.
type livecase struct {
	name, method, path, body string
	status                   int
}

func TestLiveAnswersAreAsTheDocumentSays(t *testing.T) {
	rig, doc := newRatesRig(t), loadDocument(t)
	queueThree(t, rig.env.DB)
	for _, tt := range []livecase{
		{"a deck as CSV", "POST", "/import/rates", "prefix,price\n44,0.06\n49,x\n", 200},
		{"who may speak RADIUS", "GET", "/nas", "", 200},
		{"a call that is charged", "POST", "/cdrs", `{"account":"master","call_id":"a","dst":"4420","time_start":"2026-01-05T10:00:00Z","duration":60}`, 200},
		{"the same call again", "POST", "/cdrs", `[{"account":"master","call_id":"a","dst":"4420","time_start":"2026-01-05T10:00:00Z","duration":60}]`, 200},
		{"calls that cannot be charged or read", "POST", "/cdrs", "{\"dst\":\"4420\"}\n{broken\n", 200},
		{"no body", "POST", "/cdrs", "", 400},
		{"a call of FreeSWITCH", "POST", "/cdrs/freeswitch?legs=ab?uuid=fs-1", freeswitchBody, 200},
		{"what is no call of FreeSWITCH", "POST", "/cdrs/freeswitch?uuid=x", "hello", 200},
		{"nothing of FreeSWITCH", "POST", "/cdrs/freeswitch", "", 400},
		{"legs that are none", "POST", "/cdrs/freeswitch?legs=c", freeswitchBody, 400},
		{"a call of Asterisk", "POST", "/cdrs/asterisk?zone=Europe/Berlin", `{"accountcode":"master","src":"1","dst":"4420","start":"2026-01-05 10:00:00","billsec":10,"duration":12,"disposition":"ANSWERED","uniqueid":"1.1","sequence":1}`, 200},
		{"a call of Kamailio", "POST", "/cdrs/kamailio", `{"start_time":"2026-01-05 10:00:00","end_time":"2026-01-05 10:01:00","duration":"60.0","callid":"k","caller":"1","callee":"4420","account":"master"}`, 200},
		{"a BYE of Kamailio, before its INVITE", "POST", "/cdrs/kamailio", `{"method":"BYE","callid":"two","from_tag":"a","to_tag":"b","sip_code":"200","time":1767607265}`, 200},
		{"the INVITE, which ends the call", "POST", "/cdrs/kamailio", `{"method":"INVITE","callid":"two","from_tag":"b","to_tag":"a","sip_code":"200","time":1767607205,"caller":"1","callee":"4420","account":"master"}`, 200},
		{"a call of OpenSIPS", "POST", "/cdrs/opensips", `{"method":"E_ACC_CDR","params":{"callid":"o","sip_code":"200","time":1767607205,"duration":10,"caller":"1","callee":"4420","account":"master"}}`, 200},
		{"another switch's format", "POST", "/cdrs/opensips?format=kamailio", "{}", 400},
		{"a source is saved", "PUT", "/sources/pbx", `{"format":"asterisk-json","zone":"Europe/Berlin","called":["country DE"],"inbound":["dcontext=from-trunk"],"pay":["known account","all = master"]}`, 200},
		{"a source that cannot be", "PUT", "/sources/odd", `{"called":["lose 9"]}`, 400},
		{"a source of nobody", "PUT", "/sources/odd", `{"pay":["all = nobody"]}`, 404},
		{"sources", "GET", "/sources", "", 200},
		{"a source", "GET", "/sources/pbx", "", 200},
		{"a call of a source", "POST", "/cdrs/asterisk?source=pbx", `{"accountcode":"77","src":"1","dst":"004420","start":"2026-01-05 10:00:00","billsec":10,"duration":12,"disposition":"ANSWERED","uniqueid":"7.1","sequence":1}`, 200},
		{"a call that is read by its source", "POST", "/cdrs?source=pbx", `{"accountcode":"77","src":"1","dst":"004420","start":"2026-01-05 10:00:00","billsec":10,"duration":12,"disposition":"ANSWERED","uniqueid":"7.2","sequence":1}`, 200},
		{"a source of another switch", "POST", "/cdrs/kamailio?source=pbx", `{}`, 400},
		{"what a source makes of a call", "POST", "/sources/pbx/test", `{"number":"00 44 20","caller":"030123456","seconds":61}`, 200},
		{"what no source makes of a call", "POST", "/sources/nothing/test", `{"number":"4420"}`, 404},
		{"a call that does not exist explained", "GET", "/cdrs/5/explain", "", 404},
		{"a source is deleted", "DELETE", "/sources/pbx", "", 204},
		{"a source that is gone", "GET", "/sources/pbx", "", 404},
		{"calls in the order they came", "GET", "/cdrs?limit=5", "", 200},
		{"a limit that is none", "GET", "/cdrs?limit=0", "", 400},
		{"a call that does not exist", "GET", "/cdrs/5", "", 404},
		{"a call id that is none", "GET", "/cdrs/x", "", 400},
		{"accounts", "GET", "/accounts", "", 200},
		{"an account by name", "GET", "/accounts/master", "", 200},
		{"an account that does not exist", "GET", "/accounts/nobody", "", 404},
		{"another rate plan", "PATCH", "/accounts/1", `{"rateplan_id":1}`, 200},
		{"a rate plan that does not exist", "PATCH", "/accounts/1", `{"rateplan_id":9}`, 404},
		{"a field that is not changed here", "PATCH", "/accounts/1", `{"name":"x"}`, 400},
		{"a profile is saved", "PUT", "/import/profiles/acme", `{"deck":"acme","mode":"merge","strip":["011"],"columns":{"Dest No":"prefix"}}`, 200},
		{"a profile that cannot be", "PUT", "/import/profiles/acme", `{"mode":"sideways"}`, 400},
		{"profiles", "GET", "/import/profiles", "", 200},
		{"a profile", "GET", "/import/profiles/acme", "", 200},
		{"a list by its profile", "POST", "/import/rates?profile=acme", "Dest No,price\n01147,0.06\n", 200},
		{"a profile that does not exist", "POST", "/import/rates?profile=nobody", "prefix,price\n47,0.06\n", 404},
		{"an import is undone", "POST", "/import/rates/undo?deck=acme", "", 200},
		{"what a list would change", "POST", "/import/rates?dry_run=1", "prefix,price\n44,0.09\n", 200},
		{"nothing is left to undo", "POST", "/import/rates/undo?deck=acme", "", 409},
		{"a deck that is not", "POST", "/import/rates/undo?deck=nowhere", "", 404},
		{"a profile is deleted", "DELETE", "/import/profiles/acme", "", 204},
		{"a profile that is gone", "GET", "/import/profiles/acme", "", 404},
		{"history", "POST", "/import/cdrs", `{"cdrs":[{"account_id":"1","time_start":"2026-01-05T10:00:00Z","duration":5,"customer_price":"0.5","success":true}]}`, 200},
		{"history of an account that does not exist", "POST", "/import/cdrs", `{"cdrs":[{"account_id":"77","time_start":"2026-01-05T10:00:00Z"}]}`, 400},
		{"a price explained", "GET", "/explain?number=4420&seconds=61", "", 200},
		{"a number without a rate", "GET", "/explain?number=999&seconds=61", "", 404},
		{"a call that nobody pays", "POST", "/authorize", `{"account":"nobody","number":"4420"}`, 200},
		{"a call without money", "POST", "/authorize", `{"account":"master","number":4420,"call_id":"x","seconds":60,"at":null}`, 200},
		{"no call", "POST", "/authorize", "", 400},
		{"a call of nobody", "POST", "/authorize", `{"number":"4420"}`, 400},
		{"a call with more", "POST", "/authorize", `{"account":"master","number":"4420","colour":"red"}`, 400},
		{"an emergency number is allowed always", "PATCH", "/settings", `{"calls.always":"112"}`, 200},
		{"an emergency call", "POST", "/authorize", `{"account":"master","number":"112","call_id":"sos","seconds":60}`, 200},
		{"the same as a form", "POST", "/authorize", "account=master&number=112&call_id=sos&seconds=60", 200},
		{"the same id to another number", "POST", "/authorize", `{"account":"master","number":"4420","call_id":"sos"}`, 409},
		{"a form that names twice", "POST", "/authorize?format=text", "account=master&number=112&number=113", 400},
		{"an answer of no kind", "POST", "/authorize?format=xml", "account=master&number=112", 400},
		{"reservations", "GET", "/reservations?account=master&call_id=sos", "", 200},
		{"reservations of nobody", "GET", "/reservations?account=nobody", "", 404},
		{"more time", "POST", "/reservations/1/extend", `{"seconds":60}`, 200},
		{"no time", "POST", "/reservations/1/extend", `{"seconds":0}`, 400},
		{"more time for nothing", "POST", "/reservations/9/extend", `seconds=60`, 404},
		{"a call that did not come about", "POST", "/reservations/1/release", "", 200},
		{"a reservation that is gone", "POST", "/reservations/1/release", "", 404},
		{"a reservation that is none", "POST", "/reservations/x/release", "", 400},
		{"rules for all", "PUT", "/guard", `{"rules":{"spend-hour":{"limit":100,"action":"notify"},"concurrent":{"limit":"0","action":"block"}},"night":"22:00-06:00"}`, 200},
		{"a rule that is none", "PUT", "/guard", `{"rules":{"spend":{"limit":1,"action":"notify"}}}`, 400},
		{"an action that is none", "PUT", "/guard", `{"rules":{"spend-day":{"limit":1,"action":"warn"}}}`, 400},
		{"a limit below zero", "PUT", "/guard", `{"rules":{"spend-day":{"limit":-1,"action":"notify"}}}`, 400},
		{"rules with more", "PUT", "/guard", `{"rulez":{}}`, 400},
		{"what is watched", "GET", "/guard", "", 200},
		{"the first call passes a limit of none", "POST", "/authorize", `{"account":"master","number":"4420","at":null}`, 200},
		{"an account's rules", "PUT", "/accounts/master/guard", `{"rules":{"spend-hour":{"action":"off"},"risk-minutes":{"limit":10,"action":"block","until":"window"}}}`, 200},
		{"rules of nobody", "PUT", "/accounts/nobody/guard", `{"rules":{}}`, 404},
		{"a night that is none", "PUT", "/accounts/master/guard", `{"night":"late"}`, 400},
		{"what is watched of an account", "GET", "/accounts/1/guard", "", 200},
		{"what is watched of nobody", "GET", "/accounts/nobody/guard", "", 404},
		{"an account's rules taken away", "DELETE", "/accounts/1/guard", "", 200},
		{"a rule of nobody taken away", "DELETE", "/accounts/nobody/guard", "", 404},
		{"alarms that block", "GET", "/guard/alarms?blocking=1&account=master&limit=1", "", 200},
		{"alarms of nobody", "GET", "/guard/alarms?account=nobody", "", 404},
		{"alarms of no kind", "GET", "/guard/alarms?blocking=maybe", "", 400},
		{"a block is lifted", "POST", "/accounts/master/guard/unblock", "", 200},
		{"a block that is none", "POST", "/accounts/master/guard/unblock", "", 409},
		{"a block of nobody", "POST", "/accounts/nobody/guard/unblock", "", 404},
		{"high-risk prefixes", "PUT", "/guard/prefixes", `{"prefixes":["881","+53"]}`, 200},
		{"those that a store begins with", "PUT", "/guard/prefixes", `{"prefixes":null}`, 200},
		{"a prefix that is none", "PUT", "/guard/prefixes", `{"prefixes":["x"]}`, 400},
		{"prefixes of no kind", "PUT", "/guard/prefixes", `["881"]`, 400},
		{"no rules for all", "DELETE", "/guard", "", 200},
		{"settings", "GET", "/settings", "", 200},
		{"settings changed", "PATCH", "/settings", `{"rounding.customer.mode":"up","rounding.customer.precision":4,"topup.self_service":false}`, 200},
		{"a setting that does not exist", "PATCH", "/settings", `{"nothing":1}`, 404},
		{"a value that is not taken", "PATCH", "/settings", `{"calls.longest":true}`, 400},
		{"a value of no kind", "PATCH", "/settings", `{"calls.longest":[1]}`, 400},
		{"settings that are none", "PATCH", "/settings", `[]`, 400},
		{"a currency that is fixed", "PATCH", "/settings", `{"currency":"USD"}`, 409},
		{"a price", "POST", "/rate", `{"number":"4420","seconds":61}`, 200},
		{"a price for an account at a time", "POST", "/rate", `{"number":4420,"seconds":"61","account":1,"at":"2026-01-05T10:00:00Z"}`, 200},
		{"prices, and what has none", "POST", "/rate", `[{"number":"4420","seconds":61},{"number":"999","seconds":1},{"number":"44","seconds":1,"deck":"nope"},{"number":"44"},7]`, 200},
		{"no price", "POST", "/rate", `{"number":"999","seconds":61}`, 404},
		{"no ask", "POST", "/rate", `{"number":"4420","second":61}`, 400},
		{"no JSON", "POST", "/rate", `number=44`, 400},
		{"gaps", "GET", "/gaps?from=2020-01-01", "", 200},
		{"gaps of a time that is none", "GET", "/gaps?to=soon", "", 400},
		{"held calls", "GET", "/suspense", "", 200},
		{"held calls counted", "GET", "/suspense?counts=1&account=master&from=2020-01-01&to=2100-01-01", "", 200},
		{"a time that is none", "GET", "/suspense?from=soon", "", 400},
		{"one held call", "GET", "/suspense/2", "", 200},
		{"one that does not exist", "GET", "/suspense/99", "", 404},
		{"a record corrected", "PATCH", "/suspense/2", `{"account":"master","dst":"4420","time_start":"2026-01-05T11:00:00Z","duration":60,"call_id":null}`, 200},
		{"a column that is none", "PATCH", "/suspense/2", `{"colour":"red"}`, 400},
		{"a value that cannot be", "PATCH", "/suspense/2", `{"duration":"long"}`, 400},
		{"no correction", "PATCH", "/suspense/2", `{}`, 400},
		{"a correction of nothing", "PATCH", "/suspense/99", `{"dst":"44"}`, 404},
		{"held calls of an account tried again", "POST", "/suspense/retry", `{"account":"master"}`, 200},
		{"a filter that is none", "POST", "/suspense/retry", `{"acount":"master"}`, 400},
		{"held calls tried again", "POST", "/suspense/retry", "", 200},
		{"a held call that does not exist", "POST", "/suspense/retry", `{"id":99}`, 404},
		{"a data plan", "POST", "/data-plans", `{"name":"home","allowance":"1GB","overage":"0.5"}`, 201},
		{"a data plan twice", "POST", "/data-plans", `{"name":"home","price":"1"}`, 409},
		{"a data plan in no unit", "POST", "/data-plans", `{"name":"x","price":"1","unit":"GBit"}`, 400},
		{"data plans", "GET", "/data-plans", "", 200},
		{"an amount of data priced", "GET", "/data-plans/home/explain?used=3.5GB", "", 200},
		{"no amount of data", "GET", "/data-plans/home/explain", "", 400},
		{"a plan that does not exist", "GET", "/data-plans/nope/explain?used=1GB", "", 404},
		{"a session's record", "POST", "/data-sessions?source=nas1", `{"session":"s1","user":"anna","status":"start","time":"2026-01-05T10:00:00Z","input_octets":0,"output_octets":0}`, 200},
		{"records as rlm_rest posts them", "POST", "/data-sessions", `{"User-Name":{"type":"string","value":["anna"]},"Acct-Session-Id":{"type":"string","value":["s1"]},"NAS-Identifier":{"type":"string","value":["nas1"]},"Acct-Status-Type":{"type":"integer","value":["Interim-Update"]},"Acct-Session-Time":{"type":"integer","value":[600]},"Acct-Output-Octets":{"type":"integer","value":[1000]},"Acct-Output-Gigawords":{"type":"integer","value":[1]},"Event-Timestamp":{"type":"date","value":["Jan  5 2026 10:10:00 UTC"]}}`, 200},
		{"records that cannot be taken", "POST", "/data-sessions", "[{\"session\":\"s1\"},7]", 200},
		{"no records", "POST", "/data-sessions", "", 400},
		{"unassigned data", "GET", "/data-unassigned", "", 200},
		{"a subscription", "POST", "/data-subscriptions", `{"account":"master","user":"anna","plan":"home"}`, 201},
		{"a second subscription", "POST", "/data-subscriptions", `{"account":"master","user":"anna","plan":"home"}`, 409},
		{"a subscription of nobody", "POST", "/data-subscriptions", `{"account":"nobody","user":"x","plan":"home"}`, 404},
		{"a subscription of no name", "POST", "/data-subscriptions", `{"account":"master","plan":"home"}`, 400},
		{"subscriptions", "GET", "/data-subscriptions?account=master", "", 200},
		{"usage", "GET", "/data-usage?from=2026-01-01&to=2026-01-31", "", 200},
		{"usage of a day that is none", "GET", "/data-usage?from=soon", "", 400},
		{"sessions", "GET", "/data-sessions?user=anna&open=1", "", 200},
		{"sessions neither open nor not", "GET", "/data-sessions?open=maybe", "", 400},
		{"held records", "GET", "/data-held", "", 200},
		{"held records tried again", "POST", "/data-held/retry", `{"reason":"bad_record"}`, 200},
		{"a held record that does not exist", "POST", "/data-held/retry", `{"id":99}`, 404},
		{"held records given up by accident", "POST", "/data-held/drop", "", 400},
		{"held records given up", "POST", "/data-held/drop", `{"all":true}`, 200},
		{"a plan that is in use", "DELETE", "/data-plans/home", "", 409},
		{"a subscription that ends", "POST", "/data-subscriptions/1/end", "", 200},
		{"a subscription that is none", "POST", "/data-subscriptions/99/end", "", 404},
		{"messages", "GET", "/outbox?limit=1", "", 200},
		{"messages that wait", "GET", "/outbox?state=waiting", "", 200},
		{"messages of a state that is none", "GET", "/outbox?state=lost", "", 400},
		{"an e-mail", "GET", "/outbox/1", "", 200},
		{"a web request", "GET", "/outbox/2", "", 200},
		{"a message that does not exist", "GET", "/outbox/99", "", 404},
		{"a message id that is none", "GET", "/outbox/x", "", 400},
		{"a message sent again", "POST", "/outbox/retry", `{"id":2}`, 200},
		{"all that failed sent again", "POST", "/outbox/retry", "", 200},
		{"a message that does not exist sent again", "POST", "/outbox/retry", `{"id":99}`, 404},
		{"a message that was sent sent again", "POST", "/outbox/retry", `{"id":3}`, 409},
		{"messages of no state sent again", "POST", "/outbox/retry", `{"state":"lost"}`, 400},
		{"a message given up", "POST", "/outbox/drop", `{"id":1}`, 200},
		{"messages given up by accident", "POST", "/outbox/drop", "", 400},
		{"a message that was sent given up", "POST", "/outbox/drop", `{"id":3}`, 409},
		{"a message that does not exist given up", "POST", "/outbox/drop", `{"id":99}`, 404},
		{"all given up", "POST", "/outbox/drop", `{"all":true}`, 200},
	} {
		t.Run(tt.name, func(t *testing.T) { checkLive(t, rig, doc, tt) })
	}
}

// queueThree puts an e-mail, a web request and one that was sent into the outbox.
func queueThree(t *testing.T, db *storage.DB) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		hook := &storage.Hook{URL: "http://127.0.0.1:1/", Method: "POST", Body: []byte(`{"a":1}`)}
		for _, m := range []*storage.Message{
			{Key: "mail", Event: "test", Account: 1, Mail: &storage.Mail{To: "anna@example.net", Subject: "s", Text: "text"}},
			{Key: "hook", Event: "test", Hook: hook},
			{Key: "sent", Event: "test", Hook: hook},
		} {
			if err := tx.Queue(m); err != nil {
				return err
			}
		}
		return tx.Delivered(3)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkLive sends a request and holds status and body against the operation's documented answer.
func checkLive(t *testing.T, rig *ratesRig, doc *openapi3.T, tt livecase) {
	req, err := http.NewRequestWithContext(t.Context(), tt.method, rig.base+tt.path, strings.NewReader(tt.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+rig.token)
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(tt.path, "/import/rates") {
		req.Header.Set("Content-Type", "text/csv")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != tt.status {
		t.Fatalf("status = %d, want %d: %s", resp.StatusCode, tt.status, body)
	}
	path, operation := operationOf(t, doc, tt)
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: &routers.Route{Spec: doc, Path: path, Method: tt.method, Operation: operation}},
		Status:                 resp.StatusCode, Header: resp.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	answer.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
		t.Errorf("the answer is not as documented: %v\n%s", err, body)
	}
}

func operationOf(t *testing.T, doc *openapi3.T, tt livecase) (string, *openapi3.Operation) {
	t.Helper()
	asked, _, _ := strings.Cut(tt.path, "?")
	for path, item := range doc.Paths.Map() {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, `[^/]+`) + "$")
		if operation := item.GetOperation(tt.method); operation != nil && pattern.MatchString(asked) {
			return path, operation
		}
	}
	t.Fatalf("the document has no %s %s", tt.method, tt.path)
	return "", nil
}

func TestTheDocumentIsServedWithoutAToken(t *testing.T) {
	rig := newRatesRig(t)
	resp, err := http.Get(rig.base + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || !bytes.Equal(body, document) {
		t.Errorf("status %d and %d bytes, want 200 and the document", resp.StatusCode, len(body))
	}
}
