// Package storage keeps billd's records in one ordered store and is the only road to it.
//
// A View reads one state; an Update changes it in one transaction with one fsync; the ingest queue
// (Ingest) groups calls that arrive at the same time into one Update. A Tx has one typed table per
// kind of record. Postings, balances and tallies are written by Post and the charging applier only.
//
// It imports rating and storage/kv. Only Open's caller names the engine.
//
// A source profile (Source) is found by the name in a call's column source. Whoever delivers calls of one — files,
// posts, RADIUS — sets that column, Call.Gateway, Call.Inbound, CDRAuthOrigIP and the numbers as they came, and no
// more: Charge, RetrySuspended, Authorise and Ask apply the profile's rules (rating.Profile) inside the transaction.
// DB.Catalog().Source tells how the source's records are read.
//
// # Keys
//
// Numbers are fixed-width big-endian, text ends in a zero byte, times are milliseconds.
//
//	row number                      most tables; JSON behind a version byte, rates, postings and data sessions binary
//	rate.deck     deck prefix 00 rate           finds a deck's rows by prefix, in prefix order
//	rate.close    deck rate                     generation, valid-till: an import's closings until they are settled
//	import.undo   import rate                   the valid-till that a row had before the deck's last import ended it
//	cdr           start ms (44 bits) seq (20)   the call, binary; the key is the time index
//	cdr.customer  account cdr                   calls that the account paid
//	cdr.vendor    account cdr                   calls that the account terminated
//	cdr.call      start minute, hash, n         cdr or suspense number, content hash: exactly once
//	cdr.log       ingest sequence               the CDR numbers of one commit, in the order they came
//	cdr.revision  cdr revision                  a call as it was before it was rerated
//	posting.ledger ledger posting               a ledger's postings in order
//	posting.ref   reference 00                  posting: the same reference posts once
//	balance       ledger                        call debits, call credits, other debits, other credits
//	task.open     task                          bulk work that was started and has not ended
//	tally         day account side origin       calls, answered, seconds, billed, net, tax
//	reservation.account account ms reservation  the open reservations of payers and vendors, by when they expire
//	reservation.due ms reservation             all of them
//	reserved      account                       the sum of what its reservations hold, expired ones included
//	source.name   name 00                       source profile
//	guard.blocked account                       accounts that the fraud guard blocks
//	guard.alarm.account account alarm           alarms by account
//	guard.tally   kind, hour or day, account    spent, answered calls, seconds: what the fraud guard compares
//	dialog.key    scope 00 key 00               a call of which one half came, or all of it not long ago
//	dialog.due    ms dialog                     by when they are looked at
//	tail.file     file 00                       how far a growing file of calls was read
//	service.renew ms service                    services in the order in which their paid periods end
//	nextrate.due  ms change                     scheduled changes of rates that wait
//	cdrexport.open 0 account export, 1 ms export  exports that wait; finished ones, oldest file first
//	outbox.state  state ms message              messages that wait, by when they are tried; others by when they ended
//	data.session.key source 00 session 00 user 00 start ms, session   sessions of one number, the latest last
//	data.session.open source 00 session         sessions that go on
//	data.day      subscription day              octets up and down
//	data.period   subscription first-day        octets up and down, net, tax, charges, percent of the allowance told of
//	data.unassigned user 00 quarter-hour ms     octets up and down of nobody's subscription
//	invoice.paper invoice                       approved invoices whose paper is to be made
//
// Day comes first in a tally's key because calls come in by time: a commit then touches few pages.
package storage
