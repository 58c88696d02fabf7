package auth

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := start
	th := NewThrottle(func() time.Time { return now })
	for i := range loginFailures {
		if w := th.Wait("admin/anna", "192.0.2.1"); w != 0 {
			t.Fatalf("attempt %d waits %s, want none", i+1, w)
		}
		th.Failed("admin/anna", "192.0.2.1")
	}
	for _, tt := range []struct {
		name, login, address string
		want                 time.Duration
	}{
		{"the login waits", "admin/anna", "192.0.2.1", loginEvery},
		{"from another address too", "admin/anna", "198.51.100.1", loginEvery},
		{"another login does not", "admin/bert", "192.0.2.1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := th.Wait(tt.login, tt.address); got != tt.want {
				t.Errorf("Wait = %s, want %s", got, tt.want)
			}
		})
	}
	now = now.Add(loginEvery)
	if w := th.Wait("admin/anna", "192.0.2.1"); w != 0 {
		t.Errorf("after %s it waits %s, want one attempt", loginEvery, w)
	}
	th.Failed("admin/anna", "192.0.2.1")
	if w := th.Wait("admin/anna", "192.0.2.1"); w != loginEvery {
		t.Errorf("after that attempt it waits %s, want %s", w, loginEvery)
	}
	th.Succeeded("admin/anna")
	if w := th.Wait("admin/anna", "192.0.2.1"); w != 0 {
		t.Errorf("after a success it waits %s, want none", w)
	}
}

func TestThrottleCountsAddresses(t *testing.T) {
	for _, tt := range []struct {
		name, from, then string
		waits            bool
	}{
		{"the same address waits", "192.0.2.1", "192.0.2.1", true},
		{"its neighbour does not", "192.0.2.1", "192.0.2.2", false},
		{"an IPv6 /64 is one address", "2001:db8::1", "2001:db8::ffff:1", true},
		{"the next /64 is another", "2001:db8::1", "2001:db8:0:1::1", false},
		{"an IPv4 in IPv6 is the IPv4", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"what is no address is itself", "socket", "socket", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := NewThrottle(func() time.Time { return start })
			for i := range addressFailures {
				th.Failed(fmt.Sprint("login ", i), tt.from)
				th.Succeeded(fmt.Sprint("login ", i))
			}
			if got := th.Wait("new", tt.then) > 0; got != tt.waits {
				t.Errorf("waits = %v, want %v", got, tt.waits)
			}
		})
	}
}

func TestThrottleIsBoundedAndForgetsTheLeastFirst(t *testing.T) {
	now := start
	th := NewThrottle(func() time.Time { return now })
	for range addressFailures {
		th.Failed("x", "192.0.2.66")
	}
	const beyond = 100 // a hundred more than there is room for, two entries each
	for i := range maxThrottled/2 + beyond {
		now = now.Add(time.Microsecond)
		th.Failed(fmt.Sprint(i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if n := len(th.clean); n > maxThrottled {
		t.Errorf("%d entries, want at most %d", n, maxThrottled)
	}
	if th.Wait("new", "192.0.2.66") == 0 {
		t.Error("who failed most was forgotten, want it kept")
	}
}
