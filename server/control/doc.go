// Package control is the unix door: it runs the commands of package ops for the command line while a
// server holds the store.
//
// The socket is DIR/billd.sock, mode 0600, open to the server's own user and root. A request is
// POST /v1/<command> with the arguments as base64 JSON in the header Billd-Args and the command's
// input as the body; the answer is one JSON frame a line, of
//
//	{"out":"text"}  {"err":"text"}                     what the command prints, as it prints it
//	{"out64":"//4="}  {"err64":"//4="}                 the same where the bytes are not UTF-8
//	{"progress":{"done":5,"total":9,"what":"rows"}}
//	{"exit":0}                                         always the last
//
// with {} now and then while there is nothing to say. Input and answer flow at the same time. When
// the client goes, the command's context is cancelled.
//
// It may import server/ops. The two ends:
//
//	s, err := control.Listen(control.Options{Env: env, Commands: ops.Commands()})
//	go s.Serve()
//	defer s.Shutdown(ctx)
//
//	c, err := control.Dial(ctx, dir, version)
//	exit, err := c.Call(ctx, "explain", args, &ops.IO{Out: os.Stdout, Err: os.Stderr})
package control
