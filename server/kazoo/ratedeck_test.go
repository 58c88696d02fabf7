package kazoo

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// An account that has a Kazoo plan and no rate plan is charged by the plan's ratedeck, else by its
// reseller's, and never by another when the deck is not there (R17).
func TestCallsAreChargedByThePlansRatedeck(t *testing.T) {
	s := newServer(t)
	for deck, cost := range map[string]string{"retail": "0.3", "wholesale": "0.2"} {
		s.want(201, "PUT", "/v2/rates?ratedeck_id="+deck, s.token, `{"data":{"prefix":44,"rate_cost":`+cost+`}}`)
	}
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":0.9}}`)
	named := func(deck string) string {
		return `{"name":"Deck","plan":{"users":{"user":{"rate":1}}},"ratedeck":{"id":"` + deck + `","name":"x"}}`
	}
	seller, _ := s.tenant(s.master, "Seller")
	s.want(201, "PUT", "/v2/accounts/"+seller+"/reseller", s.token, `{"data":{}}`)
	id, _ := s.tenant(seller, "Customer")
	q := storage.NewIngest(s.db)
	defer q.Stop()
	calls := 0
	charge := func(want string) {
		t.Helper()
		calls++
		c := &rating.Call{AccountRef: "Customer"}
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
		c.SetInt(rating.CDRDuration, 60)
		c.SetText(rating.CDRCallID, fmt.Sprint(calls))
		c.SetText(rating.CDRDstPrefixRouting, "442071838750")
		v, err := q.Submit(context.Background(), []storage.Record{{Call: c}})
		if err != nil {
			t.Fatal(err)
		}
		if got := v[0].Outcome.String() + v[0].Reason + " " + v[0].Price.Number(); got != want {
			t.Errorf("call %d = %s, want %s", calls, got, want)
		}
	}
	charge("rated 0.9") // on the default rate plan
	p := s.plan(s.master, named("wholesale"))
	s.want(200, "POST", "/v2/accounts/"+seller+"/services/"+p, s.token, "")
	charge("rated 0.2") // by the reseller's
	own := s.plan(seller, named("retail"))
	s.want(200, "POST", "/v2/accounts/"+id+"/services/"+own, s.token, "")
	charge("rated 0.3")
	s.want(200, "PATCH", "/v2/accounts/"+seller+"/service_planner/"+own, s.token, `{"data":{"ratedeck":{"id":"ratedeck"}}}`)
	charge("rated 0.9") // Kazoo's name of the default deck
	s.want(200, "POST", "/v2/accounts/"+id+"/services/overrides", s.token, `{"data":{"ratedeck":{"id":"wholesale"}}}`)
	charge("rated 0.2")
	s.want(200, "POST", "/v2/accounts/"+id+"/services/overrides", s.token, `{"data":{"ratedeck":{"id":"nowhere"}}}`)
	charge("suspendedno_rate 0")
	s.want(201, "PUT", "/v2/rates?ratedeck_id=nowhere", s.token, `{"data":{"prefix":44,"rate_cost":0.7}}`)
	charge("rated 0.7")
	s.update(func(tx *storage.Tx) error {
		a := s.byIDIn(tx, id)
		a.RatePlan = rating.DefaultPlan
		return tx.SaveAccount(a)
	})
	charge("rated 0.9") // a rate plan of its own goes before
	s.update(func(tx *storage.Tx) error {
		a := s.byIDIn(tx, id)
		a.RatePlan = 0
		return tx.SaveAccount(a)
	})
	s.want(200, "DELETE", "/v2/accounts/"+id+"/services/"+own, s.token, "")
	charge("rated 0.2") // the reseller's again
	s.sound()
}
