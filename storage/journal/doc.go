// Package journal makes small transactions durable with one sync of a sequential write.
//
// It is a kv.Engine over another one. An Update's writes are kept in memory, in one ordered map over the
// store's state, and appended to a journal file that is synced before Update returns. Behind that, a
// checkpoint writes what has gathered to the store in one large transaction: a commit of the store syncs
// twice and rewrites pages at scattered places, which then happens once for thousands of Updates.
//
//	Update   memory over store → staged → journal, sync, → memory
//	View     memory over store, both of one state
//	Bulk     checkpoint, then straight to the store: for transactions of many rows
//
// An Update is staged when it has decided what it writes; the next one goes on from there while the sync is
// under way, and one sync serves all that are staged by then. What is synced together is one record. Nobody
// is told, and no View shows, what is not durable yet; if the sync fails, so do all that were staged.
//
// # Exactness
//
// The journal holds what was written, not what was asked for, so replaying it needs none of the code that
// decided it and gives the same rows however often it is done. A segment of the journal names the state of
// the store that it goes on from, by a mark that every checkpoint and every Bulk replaces in its own
// transaction; Open replays the segments that follow on the store's mark and ignores all others. The last
// record of a segment may be torn by a crash; nobody was told that it is stored. A record that is damaged
// although whole ones follow is an error of Open.
//
// The store's file itself is always one of the states that there were: a copy of it alone is sound, at most
// as old as the last checkpoint. After Close it is whole, and there is no journal.
package journal
