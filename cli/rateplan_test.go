package cli

import "testing"

func TestADeckIsAttachedThroughBothDoors(t *testing.T) {
	const head = "ID  RATE PLAN  DECKS    ACCOUNTS\n"
	steps := []struct {
		name string
		in   string
		args []string
		want ended
	}{
		{"a deck", "44,0.06\n", []string{"import-rates", "-", "--deck", "carrier", "--json"}, ended{exit: 0}},
		{"an account that it does not charge yet", "", []string{"explain", "442079", "60", "--account", "master"}, ended{exit: 1}},
		{"nothing to attach", "", []string{"rateplan", "attach", "gold"}, ended{2, "", "billd: rateplan: want --deck, --account or both\n"}},
		{"a deck that does not exist", "", []string{"rateplan", "attach", "gold", "--deck", "nope"}, ended{1, "", "billd: deck nope does not exist\n"}},
		{"an account that does not exist changes nothing", "", []string{"rateplan", "attach", "gold", "--deck", "carrier", "--account", "nobody"}, ended{exit: 1}},
		{"a plan is made", "", []string{"rateplan", "attach", "gold", "--deck", "carrier"}, ended{0, head + "2   gold       carrier  0\n", ""}},
		{"twice is once", "", []string{"rateplan", "attach", "gold", "--deck", "carrier", "--account", "master"}, ended{0, head + "2   gold       carrier  1\n", ""}},
		{"which charges", "", []string{"explain", "442079", "60", "--account", "master"}, ended{exit: 0}},
		{"all plans", "", []string{"rateplan", "list"}, ended{0, head + "1   default    default  0, and those without a plan\n2   gold       carrier  1\n", ""}},
		{"an account leaves", "", []string{"rateplan", "detach", "gold", "--account", "master"}, ended{0, head + "2   gold       carrier  0\n", ""}},
		{"once", "", []string{"rateplan", "detach", "gold", "--account", "master"}, ended{1, "", "billd: account 1 is not on rate plan gold\n"}},
		{"a deck leaves", "", []string{"rateplan", "detach", "gold", "--deck", "carrier", "--json"}, ended{exit: 0}},
		{"a plan that does not exist", "", []string{"rateplan", "detach", "silver", "--deck", "carrier"}, ended{1, "", "billd: rate plan silver does not exist\n"}},
		{"a vendor's deck", "44,0.01\n", []string{"import-rates", "-", "--deck", "bought", "--vendor", "master", "--json"}, ended{exit: 0}},
		{"is listed nowhere", "", []string{"rateplan", "attach", "gold", "--deck", "bought"},
			ended{1, "", "billd: deck bought holds the prices of vendor account 1: it prices what that account terminates, and no plan lists it\n"}},
		{"and all of it is sound", "", []string{"check"}, ended{exit: 0}},
	}
	for _, door := range []string{"direct", "server"} {
		dir := t.TempDir()
		if door == "server" {
			serveAll(t, dir)
		}
		for _, tt := range steps {
			got := run(tt.in, append(tt.args, "--dir", dir)...)
			if got.exit != tt.want.exit || tt.want.out+tt.want.errw != "" && got != tt.want {
				t.Fatalf("%s, %s: billd %v: %v, want %v", door, tt.name, tt.args, got, tt.want)
			}
		}
	}
}
