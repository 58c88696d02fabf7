package storage

import (
	"reflect"
	"testing"
	"time"

	"billd/rating"

	"pgregory.net/rapid"
)

func TestSessionsComeBackFromTheirRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := func(name string) time.Time {
			return time.UnixMicro(rapid.Int64Range(946_684_800_000_000, 7e15).Draw(rt, name)).UTC()
		}
		octets := func() rating.Octets {
			return rating.Octets{Up: rapid.Uint64Max(1<<62).Draw(rt, "up"), Down: rapid.Uint64Max(1<<62).Draw(rt, "down")}
		}
		want := DataSession{ID: 7, Source: rapid.String().Draw(rt, "source"), Session: rapid.String().Draw(rt, "session"), User: rapid.String().Draw(rt, "user"),
			StartAt: at("start"), LastAt: at("last"), Cause: rapid.String().Draw(rt, "cause"), Seconds: rapid.Uint32().Draw(rt, "seconds"), Address: "10.0.0.1", Used: octets(),
			Records: rapid.Uint64().Draw(rt, "records"), Resets: 3, Dropped: rapid.Bool().Draw(rt, "dropped"), Points: rating.SessionPoints{}}
		if rapid.Bool().Draw(rt, "stopped") {
			want.StoppedAt = at("stop")
		}
		for range rapid.IntRange(0, rating.KeptPoints).Draw(rt, "points") {
			want.Points = append(want.Points, rating.SessionPoint{At: at("point").UnixMilli(), Seconds: rapid.Uint32().Draw(rt, "s"), Status: rating.DataInterim, Total: octets()})
		}
		row := appendDataSession(nil, &want)
		var got DataSession
		if err := decodeDataSession(7, row, &got); err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("%v: got\n%+v, want\n%+v", err, got, want)
		}
		for _, bad := range [][]byte{row[:len(row)-1], append(row, 0), {2}, {}} {
			if err := decodeDataSession(7, bad, &got); rating.KindOf(err) != rating.Internal || err == nil {
				rt.Fatalf("a damaged row: %v, want Internal", err)
			}
		}
	})
}
