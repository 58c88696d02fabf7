package rating

// Half is what a record that does not tell a call alone says of it, beside the Call.
//
// SIP proxies tell of transactions: the INVITE that was answered comes as a call without an end, the BYE as an end and
// nothing else but the call's source. Whole is a record that tells all but when the call was: its times are those of its
// arrival, so that sent again it says something else, and what was heard first counts.
type Half struct {
	Scope   string // of whose keys Key is one: a machine that counts its sessions; "" for the call's source
	Key     string // of the call, alike for both halves
	Machine string // of the scope, that told the half: when it starts anew its calls have ended; "" where nobody says so
	Whole   bool
	End     int64  // of a BYE: when it came, in microseconds since 1970; else 0
	Kept    string // what could be read of it as JSON, to be corrected in suspense if the other half does not come
}
