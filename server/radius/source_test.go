package radius

import (
	"testing"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// TestTheCallsOfANASGoByTheSourceItNames has numbers, payer and zone told by a profile, for records and questions.
func TestTheCallsOfANASGoByTheSourceItNames(t *testing.T) {
	r := newRig(t)
	name := "pbx"
	if _, err := ops.SetNAS(t.Context(), r.env, ops.NASArgs{Name: "gw", Source: &name}, false); rating.KindOf(err) != rating.NotFound || err.Error() != "source pbx does not exist; billd source add makes it" {
		t.Fatalf("a source that is not there: %v", err)
	}
	if _, err := ops.SaveSource(t.Context(), r.env, ops.SourceProfile{Name: name, Zone: "Europe/Berlin", Called: []string{"international 00"}, Pay: []string{"code 77 = acme"}}); err != nil {
		t.Fatal(err)
	}
	shown, err := ops.SetNAS(t.Context(), r.env, ops.NASArgs{Name: "gw", Source: &name}, false)
	if err != nil || shown.Profile != name || shown.Zone != "Europe/Berlin" {
		t.Fatalf("the NAS is %+v, %v", shown, err)
	}
	p := r.ask(access, tlv(1, "77", 30, "00442079460000", 9<<8|24, "h323-conf-id=A 1"))
	if p.code() != codeAccessAccept || p.cisco(ciscoCreditAmount) != "h323-credit-amount=10.00" {
		t.Errorf("asked for the call: %x %s, want an accept on acme's account", p.raw[:1], p.text(attrReplyMessage))
	}
	r.ask(accounting, tlv(1, "77", 30, "00442079460000", 31, "4930123456", 40, 2, 44, "0A1F", 46, 61, 9<<8|24, "h323-conf-id=A 1", 9<<8|26, "h323-call-origin=originate",
		9<<8|25, "h323-setup-time=*15:32:05.123 Sat Nov 21 2026", 9<<8|28, "h323-connect-time=*15:32:10.123 Sat Nov 21 2026", 9<<8|29, "h323-disconnect-time=*15:33:11.023 Sat Nov 21 2026"))
	r.want("-0.12", 1, 0)
	err = r.View(t.Context(), func(tx *storage.Tx) error {
		if n := tx.OpenReservations(); n != 0 {
			t.Errorf("%d reservations are open after the record, want none", n)
		}
		return tx.EachLogged(0, func(_ uint64, id rating.CDRID) (bool, error) {
			var c rating.CDR
			err := tx.CDR(id, &c)
			m, _ := c.Matching()
			if got, want := c.Format(rating.CDRTimeStart)+" "+c.Text(rating.CDRDstPrefixRouting)+" "+m.Profile+" "+m.Rule, "2026-11-21T14:32:05.123Z 442079460000 pbx code 77"; got != want {
				t.Errorf("the call is %s, want %s", got, want)
			}
			return true, err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ops.DeleteSource(t.Context(), r.env, name); rating.KindOf(err) != rating.Conflict || err.Error() != "source pbx is that of NAS gw: give that another one first" {
		t.Errorf("deleting the source that a NAS names: %v", err)
	}
	none := ""
	if _, err := ops.SetNAS(t.Context(), r.env, ops.NASArgs{Name: "gw", Source: &none}, false); err != nil {
		t.Fatal(err)
	}
	if err := ops.DeleteSource(t.Context(), r.env, name); err != nil {
		t.Errorf("deleting it when no NAS does: %v", err)
	}
	r.sound()
}
