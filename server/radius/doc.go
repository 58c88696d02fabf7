// Package radius answers RADIUS over UDP: accounting (RFC 2866) of calls and of broadband sessions, and
// authorisation (RFC 2865) of calls.
//
// One goroutine reads a socket: it finds the sender's NAS record, verifies the packet with its secret and puts
// it into a bounded queue; a bounded number of workers do the rest. What does not fit, or is not authentic,
// is dropped and counted: a flood costs no more than reading it. An accounting packet is answered when what
// it says is durable and not before, so that a NAS sends again what was lost; what was answered lately is
// answered again without being looked at.
//
// Calls become CDRs in rating/cdrformat and are charged through the ingest queue that every other record
// goes through; authorisation is package ops' Authorize; sessions are its RecordData.
//
// The codec is this package's own: of a packet it wants the bytes, because Message-Authenticator is computed
// over them, and the attributes in order, because Proxy-State goes back as it came.
//
// It may import server/ops, storage and rating.
package radius
