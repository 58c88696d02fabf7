// Package mailtest is a mail server for tests: it listens on this machine, keeps what it is given
// and fails as it is told to. It imports the standard library only.
//
//	s := mailtest.Start(t, mailtest.Answers{"RCPT": "550 5.1.1 no such user"})
//	… deliver to s.Host, s.Port …
//	s.Letters()
package mailtest
