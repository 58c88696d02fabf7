package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"billd/rating"
)

func TestPasswordsVerify(t *testing.T) {
	ctx, p := context.Background(), NewPasswords(FastParams())
	encoded := must[string](t)(p.Hash(ctx, "correct horse"))
	if again := must[string](t)(p.Hash(ctx, "correct horse")); again == encoded {
		t.Error("two hashes are alike, want a salt each")
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Errorf("Hash = %s, want PHC form", encoded)
	}
	for _, tt := range []struct {
		name, encoded, password string
		want                    bool
	}{
		{"the right password", encoded, "correct horse", true},
		{"a wrong one", encoded, "correct Horse", false},
		{"an empty one", encoded, "", false},
		{"a very long one", encoded, strings.Repeat("x", 1<<20), false},
		{"no such user", "", "correct horse", false},
		{"the vector of the argon2 command", // echo -n password | argon2 somesalt -id -t 2 -k 256 -p 1: phc-winner-argon2/test.c
			"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := p.Verify(ctx, tt.encoded, tt.password); got != tt.want || err != nil {
				t.Errorf("Verify = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if p.NeedsRehash(encoded) || !NewPasswords(StandardParams()).NeedsRehash(encoded) || !p.NeedsRehash("x") {
		t.Error("NeedsRehash: want no at the same cost, yes at another or for what cannot be read")
	}
}

func TestHashesThatAreNotOursAreRefused(t *testing.T) {
	const salt, sum = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, encoded := range []string{
		"x", "$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + sum, "$argon2id$v=16$m=8,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=1,p=0$" + salt + "$" + sum, "$argon2id$v=19$m=8,t=0,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=8,t=1000,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=1,p=1,x=1$" + salt + "$" + sum, "$argon2id$v=19$m=8,t=1,p=1$$" + sum,
		"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$", "$2y$10$abcdefghijklmnopqrstuv",
	} {
		if ok, err := NewPasswords(FastParams()).Verify(context.Background(), encoded, "password"); ok || rating.KindOf(err) != rating.Internal || err == nil {
			t.Errorf("Verify(%s) = %v, %v, want it refused", encoded, ok, err)
		}
	}
}

func TestPasswordPolicy(t *testing.T) {
	for _, tt := range []struct{ name, password, want string }{
		{"seven characters", "1234567", "minimum"},
		{"eight characters", "12345678", ""},
		{"eight characters of two bytes", "пароль12", ""},
		{"seven characters of two bytes", "пароль1", "minimum"},
		{"1024 characters", strings.Repeat("я", 1024), ""},
		{"1025 characters", strings.Repeat("x", 1025), "maximum"},
		{"broken UTF-8", "12345678\xff", "format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := CheckPassword(tt.password); tt.want == "" && err != nil || tt.want != "" && rule(err) != tt.want {
				t.Errorf("CheckPassword = %v, want rule %q", err, tt.want)
			}
		})
	}
}

func TestHashingWaitsInABoundedLine(t *testing.T) { synctest.Test(t, hashingWaitsInABoundedLine) }

func hashingWaitsInABoundedLine(t *testing.T) {
	p := NewPasswords(FastParams())
	for range concurrent { // all slots are taken
		p.slots <- struct{}{}
		p.waiting.Add(1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range maxWaiting {
		wg.Go(func() {
			if _, err := p.Hash(ctx, "waiting"); !errors.Is(err, context.Canceled) {
				t.Errorf("Hash = %v, want it cancelled", err)
			}
		})
	}
	synctest.Wait()
	if _, err := p.Hash(ctx, "one too many"); rating.KindOf(err) != rating.Limit {
		t.Errorf("Hash = %v, want it turned away", err)
	}
	cancel()
	wg.Wait()
	for range concurrent {
		<-p.slots
		p.waiting.Add(-1)
	}
	if _, err := p.Hash(context.Background(), "free again"); err != nil {
		t.Errorf("Hash = %v, want it done", err)
	}
}
