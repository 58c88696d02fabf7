// Package ops holds what billd's commands do: one function per command, called through two doors.
//
// The command line opens the store itself when nobody has it open, and speaks to the server's unix
// socket (package control) when a server has. Both doors end in Command.Do, so exit codes, error
// lines and output are the same bytes. An op therefore prints its own tables and JSON, reads a file
// argument as the stream IO.In, and never opens a path that a client named.
//
// It may import rating, storage and server/auth, and names no HTTP or flag library. OpenStore, the
// wiring, alone names storage/bolt.
//
// A command is an argument struct and a function, listed in Commands:
//
//	type ExplainArgs struct {
//		Number  string `json:"number"`
//		Seconds int    `json:"seconds"`
//		JSON    bool   `json:"json"`
//	}
//
//	func explain(ctx context.Context, env *Env, a ExplainArgs, io *IO) (int, error) {
//		…
//		return ExitOK, Print(io.Out, a.JSON, answer, answer.table)
//	}
//
//	func Commands() []Command {
//		return []Command{
//			Typed("explain", explain).Reads(),
//		}
//	}
package ops
