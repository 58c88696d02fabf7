// Package bench measures billd from outside, as a switch would: the real binary on a real disk over
// real sockets, driven from the same machine.
//
//	go test ./bench -run xxx -bench . -benchtime 1x
//
// runs everything and prints beside each durable figure the disk's own fdatasync/s of the same run. A
// test run without -bench does nothing here.
package bench
