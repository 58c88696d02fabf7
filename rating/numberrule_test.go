package rating

import (
	"strings"
	"testing"
)

func TestNumberRules(t *testing.T) {
	for _, tt := range []struct{ name, rules, in, want string }{
		{"blanks and dashes go", "digits", " +49 (30) 12-34 ", "+49301234"},
		{"a plus goes", "strip +", "+4930", "4930"},
		{"each rule sees what the last one made", "strip 9; replace 0 49", "9030123", "4930123"},
		{"a prefix that is not there changes nothing", "strip 9", "030123", "030123"},
		{"lengths bound a rule", "prepend 49 7-9", "30123456", "4930123456"},
		{"a longer number is left alone", "prepend 49 7-9", "4930123456", "4930123456"},
		{"an international number ends the rules", "international 00; prepend 49", "0044207", "44207"},
		{"a national one too", "national 0 49; strip 4", "030123", "4930123"},
		{"a local one too", "local 4930 7; strip 4", "1234567", "49301234567"},
		{"what is kept ends them", "keep 11 3; prepend 49", "112", "112"},
		{"a rule never leaves nothing", "strip 9", "9", "9"},
		{"what has no digits stays", "digits", "anonymous", "anonymous"},
		{"nothing stays nothing", "country DE", "", ""},
		{"Germany: in full", "country DE", "+49 30 123456", "4930123456"},
		{"Germany: abroad", "country DE", "0044 20 7946", "44207946"},
		{"Germany: national", "country DE", "030123456", "4930123456"},
		{"Germany: E.164 already", "country DE", "4930123456", "4930123456"},
		{"Germany: a service", "country DE", "110", "110"},
		{"Germany: a later rule sees what the country does not know", "country DE; local 4930 5-8", "1234567", "49301234567"},
		{"America: ten digits", "country US", "(415) 555-1234", "14155551234"},
		{"America: eleven", "country US", "14155551234", "14155551234"},
		{"America: abroad", "country US", "01144207946", "44207946"},
		{"Spain has no trunk prefix", "country es", "912345678", "34912345678"},
		{"Spain: in full", "country ES", "34912345678", "34912345678"},
		{"Italy keeps the 0 of a line", "country IT", "0612345678", "390612345678"},
		{"Italy: mobile", "country IT", "3912345678", "393912345678"},
		{"Russia dials 8 at home and 810 abroad", "country RU", "84951234567", "74951234567"},
		{"Russia abroad", "country RU", "810442079460000", "442079460000"},
		{"Hungary dials 06", "country HU", "0612345678", "3612345678"},
		{"Japan abroad", "country JP", "010442079460000", "442079460000"},
		{"Australia abroad", "country AU", "0011442079460000", "442079460000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rs, err := ParseNumberRules(strings.Split(tt.rules, "; "))
			if err != nil {
				t.Fatal(err)
			}
			if got := rs.Apply(tt.in); got != tt.want {
				t.Errorf("%s: %s became %q, want %q", tt.rules, tt.in, got, tt.want)
			}
		})
	}
}

func TestNumberRulesThatCannotBe(t *testing.T) {
	for _, s := range []string{"", "lose 9", "strip", "strip x", "prepend +49", "prepend 49 9-7", "prepend 49 x", "local 49", "country XX", "country", "digits 7",
		"replace 0", "national 0 49 7 8", "strip 1 0", "strip " + strings.Repeat("1", 300)} {
		if r, err := ParseNumberRule(s); err == nil || KindOf(err) != Invalid {
			t.Errorf("ParseNumberRule(%.40q) = %v, %v, want it refused", s, r, err)
		}
	}
	if _, err := ParseNumberRules(make([]string, maxNumberRules+1)); err == nil || !strings.Contains(err.Error(), "at most 50") {
		t.Errorf("too many rules: %v", err)
	}
}

// FuzzNumberRule: what is read is written as it was read, ends, and never makes a number of nothing or grows it by
// more than a rule has.
func FuzzNumberRule(f *testing.F) {
	for _, s := range []string{"digits", "strip +", "prepend 49 7-9", "replace 0 49", "national 0 49 5-11", "local 4930 7", "country DE", "keep 112"} {
		f.Add(s, "+49 (30) 123456")
	}
	f.Fuzz(func(t *testing.T, rule, number string) {
		r, err := ParseNumberRule(rule)
		if err != nil {
			return
		}
		again, err := ParseNumberRule(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q is read as %q, and that as %q, %v", rule, r, again, err)
		}
		got := NumberRules{r}.Apply(number)
		if got == "" && number != "" || len(got) > len(number)+maxRuleText {
			t.Fatalf("%q makes %q of %q", rule, got, number)
		}
		if more := (NumberRules{again}).Apply(number); more != got {
			t.Fatalf("%q makes %q, then %q", rule, got, more)
		}
	})
}
