package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how many bytes a server may allocate between two collections, however little it keeps: a
// small store would else be swept several times a second under load. A large heap has Go's own pace.
const heapRoom = 96 << 20

// paceMemory keeps the garbage collector at that pace. It acts after each collection, by a finalizer
// that sets itself again.
func paceMemory() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var pace func(*[16]byte)
	pace = func(mark *[16]byte) {
		metrics.Read(sample)
		if live := sample[0].Value.Uint64(); live > 0 {
			debug.SetGCPercent(int(min(max(100, heapRoom*100/live), 1000)))
		}
		runtime.SetFinalizer(mark, pace)
	}
	runtime.SetFinalizer(new([16]byte), pace)
}
