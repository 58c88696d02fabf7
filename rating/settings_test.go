package rating_test

import (
	"testing"

	"billd/rating"
)

func TestSettingsAreSetByWord(t *testing.T) {
	for _, tt := range []struct{ name, text, want, refused string }{
		{"currency", "usd", "USD", ""},
		{"currency", "XXXX", "", `currency "XXXX": want an ISO 4217 code, as long as nothing is charged or posted`},
		{"rounding.duration", "up", "up", ""},
		{"rounding.duration", "2", "down", ""},
		{"rounding.duration", "0", "", `rounding.duration "0": want nearest, down, up`},
		{"rounding.customer.mode", "half-away", "half-away", ""},
		{"rounding.customer.mode", "2", "up", ""},
		{"rounding.customer.mode", "5", "", `rounding.customer.mode "5": want none, up, down, half-away`},
		{"rounding.vendor.mode", "down", "down", ""},
		{"rounding.customer.precision", "10", "10", ""},
		{"rounding.vendor.precision", "11", "", `rounding.vendor.precision "11": want 0 to 10`},
		{"rounding.vendor.precision", "2.5", "", `rounding.vendor.precision "2.5": want 0 to 10`},
		{"calls.longest", "3600", "3600", ""},
		{"calls.longest", "59", "", `calls.longest "59": want 60 to 604800`},
		{"calls.always", " 112, 911", "112,911", ""},
		{"calls.always", "112,,911", "", `calls.always "112,,911": want numbers as they are matched with commas between, empty for none`},
		{"reservations.seconds", "600", "600", ""},
		{"reservations.keep", "0", "0", ""},
		{"reservations.keep", "-1", "", `reservations.keep "-1": want 0 to 604800`},
		{"invoices.auto_approve", "on", "true", ""},
		{"events.url", "https://hooks.example.com/billd?x=1", "https://hooks.example.com/billd?x=1", ""},
		{"events.url", "", "", ""},
		{"events.url", "ftp://example.com", "", `events.url "ftp://example.com": want an http or https address, empty for none`},
		{"events.url", "/path", "", `events.url "/path": want an http or https address, empty for none`},
		{"events.contacts", "3, 14", "3,14", ""},
		{"events.contacts", "", "", ""},
		{"events.contacts", "3,,4", "", `events.contacts "3,,4": want numbers of contacts with commas between, empty for none`},
		{"topup.self_service", "false", "false", ""},
		{"topup.automatic", "on", "true", ""},
		{"topup.self_service", "maybe", "", `topup.self_service "maybe": want true, false`},
	} {
		t.Run(tt.name+"="+tt.text, func(t *testing.T) {
			d, err := rating.SettingNamed(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			var s rating.Settings
			before := d.Text(&s)
			if err := d.Set(&s, tt.text); err != nil {
				if err.Error() != tt.refused || d.Text(&s) != before {
					t.Errorf("refused %q leaving %s, want %q and %s", err, d.Text(&s), tt.refused, before)
				}
				return
			}
			if got := d.Text(&s); got != tt.want || tt.refused != "" {
				t.Errorf("%s = %s, want %s, refused %q", tt.name, got, tt.want, tt.refused)
			}
		})
	}
	if _, err := rating.SettingNamed("nothing"); rating.KindOf(err) != rating.NotFound {
		t.Errorf("a setting that does not exist: %v, want NotFound", err)
	}
}

func TestSettingsOfAnOlderStoreReadAsTheDefaults(t *testing.T) {
	got := ""
	for _, d := range rating.SettingList() {
		got += d.Name + "=" + d.Text(&rating.Settings{Currency: rating.Currency{'E', 'U', 'R'}}) + " "
	}
	const want = "currency=EUR rounding.duration=nearest rounding.customer.mode=none rounding.customer.precision=0 rounding.vendor.mode=none rounding.vendor.precision=0 " +
		"calls.longest=7200 calls.always= reservations.seconds=0 reservations.keep=300 data.max_rate=1250000000 guard.fresh=120 invoices.auto_approve=false events.url= events.contacts= topup.self_service=true topup.automatic=false "
	if got != want {
		t.Errorf("defaults\n got %s\nwant %s", got, want)
	}
}
