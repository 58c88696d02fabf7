// Package courier carries one e-mail to a mail server, or one request to a web server, and says what
// came of it: delivered, to be tried again, or refused for good. It knows no store and no queue.
//
// It imports the standard library and a mail library, and nothing of billd. Everything that it waits
// for has an end: a connection, a dialogue, an answer.
//
//	c := courier.New(courier.Options{Agent: "billd/1.0"})
//	err := c.Mail(ctx, courier.Server{Host: "mail.example.net", Port: 587, From: "billing@example.net"}, letter)
//	var f *courier.Failure
//	if errors.As(err, &f) && f.Final { … }
package courier
