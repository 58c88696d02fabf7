package kazoo

import (
	"context"
	"testing"

	"billd/storage"
)

func TestWhoMayTopUpIsASetting(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	path, body := "/v2/accounts/"+id+"/services/topup", `{"data":{"amount":5}}`
	for _, tt := range []struct {
		name, setting string
		own, master   int
	}{
		{"by default whoever reaches the account, as in Kazoo", "", 200, 200},
		{"not the account itself", "false", 403, 200},
		{"and allowed again", "true", 200, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.setting != "" {
				err := s.db.Update(context.Background(), func(tx *storage.Tx) error {
					_, err := tx.ChangeSettings(map[string]string{"topup.self_service": tt.setting})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			s.want(tt.own, "POST", path, token, body)
			s.want(tt.master, "POST", path, s.token, body)
		})
	}
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/ledgers/total", s.token, ""); r.text("data.amount") != "25" {
		t.Errorf("total = %s, want 25: a refused top-up books nothing", r.text("data.amount"))
	}
}
