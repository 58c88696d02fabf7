// Package kv puts typed tables on an ordered key-value transaction.
//
// It knows no telecom word. An Engine keeps buckets of ordered keys; a Table says how a Go value
// becomes a row, which unique keys and indexes it has and what it must satisfy; Rows binds the two
// for the length of a transaction, and its Put and Delete are the only places that write a row.
//
// It imports the standard library only.
package kv
