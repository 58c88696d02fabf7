package yeti

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// country returns the number of the country that has a code.
func (r *rig) country(iso string) string {
	r.t.Helper()
	return strings.TrimSuffix(r.admin("GET", "/countries?filter%5Biso2%5D="+iso, "").listed(r.t), " of 1")
}

// network returns the number of a network.
func (r *rig) network(name string) string {
	r.t.Helper()
	return strings.TrimSuffix(r.admin("GET", "/networks?filter%5Bname%5D="+strings.ReplaceAll(name, " ", "+"), "").listed(r.t), " of 1")
}

// charged charges an answered call of a minute and returns its number.
func (r *rig) charged(account, from, to string, ago time.Duration) string {
	r.t.Helper()
	call := &rating.Call{AccountRef: account}
	call.SetTime(rating.CDRTimeStart, r.now().Add(-ago))
	call.SetInt(rating.CDRDuration, 60)
	call.SetBool(rating.CDRSuccess, true)
	call.SetText(rating.CDRSrcPrefixRouting, from)
	call.SetText(rating.CDRDstPrefixRouting, to)
	var v rating.Verdict
	r.update(func(tx *storage.Tx) (err error) {
		v, err = tx.Charge(call)
		return err
	})
	if v.ID == 0 {
		r.t.Fatalf("the call was not stored: %+v", v)
	}
	return decimal(v.ID)
}

func TestTranscriptOfGeography(t *testing.T) {
	r := newRig(t)
	const admin = "/api/rest/admin"
	made := decimal(number(t, r.create("/countries", `{"data":{"type":"countries","attributes":{"name":"Land","iso2":"QX"}}}`)))
	r.transcript("geography.http", []exchange{
		{"a country of the public number plan", "GET " + admin + "/countries/" + r.country("PL") + " HTTP/1.1", "", ""},
		{"countries by code and name", "GET " + admin + "/countries?filter[iso2]=PL,XK&filter[name]=Poland,Kosovo&sort=-name&page[size]=1 HTTP/1.1", "", ""},
		{"a name is taken", "POST " + admin + "/countries HTTP/1.1", "", `{"data":{"type":"countries","attributes":{"name":"Poland","iso2":"PL"}}}`},
		{"a code has two letters", "POST " + admin + "/countries HTTP/1.1", "", `{"data":{"type":"countries","attributes":{"name":" ","iso2":"P"}}}`},
		{"a country is made", "POST " + admin + "/countries HTTP/1.1", "", `{"data":{"type":"countries","attributes":{"name":"Utopia","iso2":"QY"}}}`},
		{"a country is changed", "PATCH " + admin + "/countries/" + made + " HTTP/1.1", "", `{"data":{"type":"countries","id":"` + made + `","attributes":{"name":"Realm"}}}`},
		{"a country with numbers stays", "DELETE " + admin + "/countries/" + r.country("PL") + " HTTP/1.1", "", ""},
		{"a country without is deleted", "DELETE " + admin + "/countries/" + made + " HTTP/1.1", "", ""},
		{"a network with its type", "GET " + admin + "/networks/" + r.network("Poland Mobile") + "?include=network-type HTTP/1.1", "", ""},
		{"networks by name", "GET " + admin + "/networks?filter[name]=Poland,Poland%20Fixed&sort=-name&fields[networks]=name HTTP/1.1", "", ""},
		{"a network has a type", "POST " + admin + "/networks HTTP/1.1", "", `{"data":{"type":"networks","attributes":{"name":"Poland"}}}`},
		{"a network is made", "POST " + admin + "/networks HTTP/1.1", "", `{"data":{"type":"networks","attributes":{"name":"Own"},"relationships":{"network-type":{"data":{"type":"network-types","id":"3"}}}}}`},
		{"a network with numbers stays", "DELETE " + admin + "/networks/" + r.network("Poland Mobile") + " HTTP/1.1", "", ""},
		{"a type with networks stays", "DELETE " + admin + "/network-types/3 HTTP/1.1", "", ""},
		{"the types", "GET " + admin + "/network-types?filter[name]=Mobile,Unknown HTTP/1.1", "", ""},
		{"a filter that is none", "GET " + admin + "/countries?filter[name_eq]=Poland HTTP/1.1", "", ""},
		{"zones are named", "GET " + admin + "/timezones?filter[name]=Europe/Kyiv HTTP/1.1", "", ""},
		{"network prefixes are not the operator's to read here", "GET " + admin + "/network-prefixes HTTP/1.1", "", ""},
	})
}

func TestTranscriptOfACustomersGeography(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	r.account(con, "one", "")
	r.token = r.customer(con, "")
	const base = "/api/rest/customer/v1"
	uuid := func(query string) string {
		return strings.TrimSuffix(r.own(r.token, query).listed(t), " of 1")
	}
	poland := uuid("/countries?filter%5Biso2%5D=PL")
	network := uuid("/networks?filter%5Bname_eq%5D=Poland+Mobile")
	prefix := uuid("/network-prefixes?filter%5Bprefix_eq%5D=4850")
	r.transcript("customer-geography.http", []exchange{
		{"a country", "GET " + base + "/countries/" + poland + " HTTP/1.1", "", ""},
		{"countries by name", "GET " + base + "/countries?filter[name]=Poland,Kosovo HTTP/1.1", "", ""},
		{"a network", "GET " + base + "/networks/" + network + " HTTP/1.1", "", ""},
		{"its type", "GET " + base + "/networks/" + network + "/network-type HTTP/1.1", "", ""},
		{"networks by a part of the name", "GET " + base + "/networks?filter[name_start]=poland%20m&include=network-type HTTP/1.1", "", ""},
		{"the types", "GET " + base + "/network-types?filter[name_in]=Mobile,Unknown&sort=-name HTTP/1.1", "", ""},
		{"a prefix", "GET " + base + "/network-prefixes/" + prefix + " HTTP/1.1", "", ""},
		{"its network", "GET " + base + "/network-prefixes/" + prefix + "/network HTTP/1.1", "", ""},
		{"prefixes with networks and types", "GET " + base + "/network-prefixes?filter[prefix_start]=483&include=network.network-type&fields[networks]=name HTTP/1.1", "", ""},
		{"lengths are filtered as texts", "GET " + base + "/network-prefixes?filter[number_min_length_eq]=11&filter[number_max_length_cont]=0&filter[prefix_in]=1,1204,48&fields[network-prefixes]=number-min-length HTTP/1.1", "", ""},
		{"a number is not an id", "GET " + base + "/networks/1 HTTP/1.1", "", ""},
		{"a UUID that nobody has", "GET " + base + "/network-prefixes/00000000-0000-0000-0000-000000000001 HTTP/1.1", "", ""},
		{"nothing is written", "POST " + base + "/countries HTTP/1.1", "", `{"data":{"type":"countries","attributes":{"name":"Land","iso2":"QX"}}}`},
	})
}

func TestListsOfACustomersGeography(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	r.account(con, "one", "")
	token := r.customer(con, "")
	first := func(path string) string {
		t.Helper()
		a := r.own(token, brackets.Replace(path)+"&page%5Bsize%5D=1")
		var doc struct {
			Data []struct {
				Attributes struct{ Name, Prefix string } `json:"attributes"`
			} `json:"data"`
		}
		if a.StatusCode != 200 || json.Unmarshal([]byte(a.body), &doc) != nil || len(doc.Data) == 0 {
			return a.listed(t)
		}
		_, total, _ := strings.Cut(a.listed(t), " of ")
		return doc.Data[0].Attributes.Name + doc.Data[0].Attributes.Prefix + " of " + total
	}
	for _, tt := range []struct{ path, want string }{
		{"/countries?sort=name", `Afghanistan of 250`},
		{"/countries?x=1", `Afghanistan of 250`},
		{"/countries?sort=-iso2", `Zimbabwe of 250`},
		{"/countries?filter[iso2]=GG,JE", `Guernsey of 2`},
		{"/countries?filter[iso2_eq]=GG", "error 102"},
		{"/networks?filter[name_end]=Toll-Free&filter[name_cont]=united", `United Arab Emirates Toll-Free of 2`},
		{"/networks?filter[name_cont_any]=guern,jersey%20m", `Guernsey Fixed of 3`},
		{"/networks?sort=network-type", "error 114"},
		{"/network-types?x=1", `Landline of 7`},
		{"/network-types?filter[name]=Mobile", "error 102"},
		{"/network-prefixes?filter[prefix_in]=44,49", `44 of 2`},
		{"/network-prefixes?filter[prefix_in]=44,49&sort=-prefix", `49 of 2`},
		{"/network-prefixes?filter[prefix_in]=44,1&sort=-number-min-length", `1 of 2`},
		{"/network-prefixes?filter[number_min_length_not_eq]=7&filter[prefix_start]=44", " of 0"},
		{"/network-prefixes?filter[network_id_eq]=1", "error 102"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			if got := first(tt.path); got != tt.want {
				t.Errorf("first = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestCallsAndInvoicesLinkToCountryAndNetwork follows one call from charging to the invoice.
func TestCallsAndInvoicesLinkToCountryAndNetwork(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "Northfield", "")
	for _, prefix := range []string{"48", "4"} {
		r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"`+prefix+`","valid-from":"2020-01-01","initial-rate":1,"next-rate":1`, "1"))
	}
	mobile := r.charged(acc, "442079460000", "48501234567", 50*time.Hour)
	fixed := r.charged(acc, "1001", "48221234567", 49*time.Hour)
	nobodys := r.charged(acc, "", "4012", 48*time.Hour)
	poland := r.country("PL")
	a := r.admin("GET", "/cdrs/"+mobile+"?include=dst-country,dst-network.network-type,src-network-type", "")
	for _, want := range []string{
		`"dst-country":{"links":{"self":"` + r.base + AdminBase + `/cdrs/` + mobile + `/relationships/dst-country","related":"` + r.base + AdminBase + `/cdrs/` + mobile + `/dst-country"},"data":{"type":"countries","id":"` + poland + `"}}`,
		`"data":{"type":"networks","id":"` + r.network("Poland Mobile") + `"}`,
		`"data":{"type":"countries","id":"` + r.country("GB") + `"}`,
		`"data":{"type":"networks","id":"` + r.network("United Kingdom Fixed") + `"}`,
		`"attributes":{"name":"Poland","iso2":"PL"}`, `"attributes":{"name":"Poland Mobile"}`, `"attributes":{"name":"Mobile"}`, `"attributes":{"name":"Landline"}`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the call is shown as %s, want %s in it", a.body, want)
		}
	}
	for _, path := range []string{"/cdrs/" + fixed + "/src-country", "/cdrs/" + nobodys + "/dst-network", "/cdrs/" + nobodys + "/dst-network-type"} {
		if got := r.admin("GET", path, "").body; got != `{"data":null}` {
			t.Errorf("%s = %s, want null", path, got)
		}
	}
	ids := []string{mobile, fixed, nobodys}
	for _, tt := range []struct{ query, want string }{
		{"filter[dst_country_id_eq]=" + poland, "~b,~a of 2"},
		{"filter[dst_country_iso_eq]=pl", "~b,~a of 2"},
		{"filter[dst_network_id_eq]=" + r.network("Poland Mobile"), "~a of 1"},
		{"filter[dst_network_id_not_eq]=" + r.network("Poland Mobile"), "~b of 1"},
		{"filter[dst_network_type_id_eq]=3", "~a of 1"},
		{"filter[dst_network_type_id_not_in]=3,1", "~b of 1"},
		{"filter[src_network_type_id_in]=1,2", "~a of 1"},
		{"filter[src_country_iso_eq]=GB", "~a of 1"},
		{"filter[src_network_id_in]=" + r.network("United Kingdom Fixed") + ",1", "~a of 1"},
		{"filter[dst_country_iso_eq]=QX", "error 107"},
	} {
		if got, want := r.admin("GET", "/cdrs?"+brackets.Replace(tt.query), "").listed(t), named(tt.want, ids); got != want {
			t.Errorf("%s = %s, want %s", tt.query, got, want)
		}
	}
	r.create("/invoices", fmt.Sprintf(invoiceDoc, "2026-11-19", "2026-11-20", acc))
	if _, err := r.db.FillNew(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := "/invoice-originated-destinations?filter%5Binvoice_id_eq%5D=1&sort=first-call-at"
	if got := r.admin("GET", lines+"&filter%5Bcountry_id_eq%5D="+poland, "").listed(t); !strings.HasSuffix(got, " of 2") {
		t.Errorf("lines of Poland = %s, want two", got)
	}
	networks := "/invoice-originated-networks?filter%5Binvoice_id_eq%5D=1&include=country,network.network-type"
	a = r.admin("GET", networks+"&filter%5Bnetwork_id_eq%5D="+r.network("Poland Fixed"), "")
	if !strings.Contains(a.body, `"total-count":1`) || !strings.Contains(a.body, `"name":"Poland Fixed"`) || !strings.Contains(a.body, `"iso2":"PL"`) || !strings.Contains(a.body, `"name":"Landline"`) {
		t.Errorf("the line of fixed numbers = %s", a.body)
	}
	r.sound()
}

func TestACountryThatIsGoneIsNull(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "Northfield", "")
	land := r.create("/countries", `{"data":{"type":"countries","attributes":{"name":"Land","iso2":"QX"}}}`)
	id := r.history(acc, "", r.now().Add(-time.Hour), func(c *rating.Call) { c.SetInt(rating.CDRDstCountryID, int64(number(t, land))) })
	if got := r.admin("GET", "/cdrs/"+id+"/dst-country", "").body; !strings.Contains(got, `"name":"Land"`) {
		t.Errorf("country = %s, want Land", got)
	}
	if a := r.admin("DELETE", "/countries/"+land, ""); a.StatusCode != 204 {
		t.Fatalf("DELETE = %d %s", a.StatusCode, a.body)
	}
	if got := r.admin("GET", "/cdrs/"+id+"/dst-country", "").body; got != `{"data":null}` {
		t.Errorf("a country that is gone = %s, want null", got)
	}
	if a := r.admin("GET", "/cdrs/"+id+"?include=dst-country", ""); a.StatusCode != 200 || strings.Contains(a.body, `"included":[{`) {
		t.Errorf("the call = %d %s, want it without what is gone", a.StatusCode, a.body)
	}
}

func TestADestinationsCountryFollowsItsPrefix(t *testing.T) {
	r := newRig(t)
	id := r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"447781","initial-rate":1,"next-rate":1`, "1"))
	path := "/destinations/" + id
	for _, tt := range []struct{ change, country, network string }{
		{"", "Guernsey", "Guernsey Mobile"},
		{"1", "United States", "United States"},
		{"1800", "", "North America Toll-Free"},
		{"+49151", "Germany", "Germany Mobile"},
		{"VIP", "", ""},
	} {
		if tt.change != "" {
			a := r.admin("PATCH", path, `{"data":{"type":"destinations","id":"`+id+`","attributes":{"prefix":"`+tt.change+`"}}}`)
			if a.StatusCode != 200 {
				t.Fatalf("PATCH = %d %s", a.StatusCode, a.body)
			}
		}
		for rel, want := range map[string]string{"country": tt.country, "network": tt.network} {
			got := r.admin("GET", path+"/"+rel, "").body
			if want == "" && got != `{"data":null}` || !strings.Contains(got, `"name":"`+want+`"`) && want != "" {
				t.Errorf("%s of prefix %s = %s, want %q", rel, tt.change, got, want)
			}
		}
	}
}
