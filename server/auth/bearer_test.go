package auth

import (
	"testing"
)

func TestYetiCarriers(t *testing.T) {
	none := Carrier{}
	sent := func(s string) Carrier { return Carrier{s, true} }
	for _, tt := range []struct {
		name          string
		query, header Carrier
		want          string
	}{
		{"the query parameter wins", sent("q"), sent("Bearer h"), "q"},
		{"even when it is empty", sent(""), sent("Bearer h"), ""},
		{"the bare token", none, sent("h"), "h"},
		{"after Bearer", none, sent("Bearer h"), "h"},
		{"the last of many words", none, sent("Basic x  h "), "h"},
		{"only blanks", none, sent("  "), ""},
		{"nothing", none, none, ""},
	} {
		t.Run("admin: "+tt.name, func(t *testing.T) {
			if got := YetiAdmin(tt.query, tt.header); got != tt.want {
				t.Errorf("YetiAdmin = %q, want %q", got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name           string
		header, cookie Carrier
		want           string
		fromCookie     bool
	}{
		{"the header wins", sent("Bearer h"), sent("c"), "h", false},
		{"a bad header is not made good by the cookie", sent("Bearer "), sent("c"), "Bearer", false},
		{"an empty header neither", sent(""), sent("c"), "", false},
		{"the cookie without a header", none, sent("c"), "c", true},
		{"nothing", none, none, "", false},
	} {
		t.Run("customer: "+tt.name, func(t *testing.T) {
			if got, from := YetiCustomer(tt.header, tt.cookie); got != tt.want || from != tt.fromCookie {
				t.Errorf("YetiCustomer = %q, %v, want %q, %v", got, from, tt.want, tt.fromCookie)
			}
		})
	}
}

func TestBearerTakesOneFormOnly(t *testing.T) {
	for header, want := range map[string]string{"Bearer t": "t", "bearer t": "t", "Bearer  t": "t",
		"t": "", "Bearer": "", "Bearer ": "", "Basic t": "", "Bearer t u": "", "": "", "Bearert": ""} {
		if got := Bearer(header); got != want {
			t.Errorf("Bearer(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestKazooCarriers(t *testing.T) {
	for _, tt := range []struct {
		name string
		from KazooCarriers
		want string
	}{
		{"the header first", KazooCarriers{"x", "q", "e", "Bearer a"}, "x"},
		{"then the query", KazooCarriers{"", "q", "e", "Bearer a"}, "q"},
		{"then the envelope", KazooCarriers{"", "", "e", "Bearer a"}, "e"},
		{"then Authorization", KazooCarriers{"", "", "", "Bearer a"}, "a"},
		{"which must say Bearer", KazooCarriers{"", "", "", "Basic a"}, ""},
		{"nothing", KazooCarriers{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.from.Token(); got != tt.want {
				t.Errorf("Token = %q, want %q", got, tt.want)
			}
		})
	}
}
