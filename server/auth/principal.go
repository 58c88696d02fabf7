package auth

import "strconv"

// Surface is one of the doors that take a bearer token; its text is the token's audience.
type Surface string

// The surfaces. A token of one opens no other.
const (
	Admin    Surface = "admin"       // Yeti /api/rest/admin
	Customer Surface = "customer-v1" // Yeti /api/rest/customer/v1
	Kazoo    Surface = "kazoo"       // Kazoo /v2
	PortSIP  Surface = "portsip"     // PortSIP /api
	Native   Surface = "native"      // billd /api/v1 and the web UI
)

// Surfaces returns all surfaces, in the order in which documents list them.
func Surfaces() []Surface { return []Surface{Admin, Customer, Kazoo, PortSIP, Native} }

// Kind says in which table a principal is found.
type Kind string

// The kinds of principal.
const (
	KindOperator    Kind = "operator"     // ID is the operator's number
	KindAPIAccess   Kind = "api-access"   // ID is the number of a Yeti customer login
	KindCustomer    Kind = "customer"     // ID is the contractor's number: a dynamic token
	KindKazooUser   Kind = "kazoo-user"   // UUID is the user's 32 hex digits
	KindAPIKey      Kind = "api-key"      // UUID is the account's 32 hex digits
	KindPortSIPUser Kind = "portsip-user" // ID is the user's number
	KindNative      Kind = "native"       // ID is the number of a native API token's owner
	KindSwitch      Kind = "switch"       // ID is the number of a switch, which may only do what a switch does
	KindPeer        Kind = "peer"         // ID is the uid at the other end of the unix socket
)

// Principal is who acts: what a token proves, what the audit trail records.
//
// A token fills everything but Name, which the caller adds from the row it loads. AccountID and
// AccountUUID name the account acted for, as far as the token says; 0 and "" mean that it does not.
type Principal struct {
	Surface     Surface
	Kind        Kind
	ID          uint64
	UUID        string
	AccountID   uint64
	AccountUUID string
	Name        string
}

// String returns the principal as one line of the audit trail shows it: "admin operator 3 anna".
func (p Principal) String() string {
	s := string(p.Kind)
	if p.Surface != "" {
		s = string(p.Surface) + " " + s
	}
	if p.UUID != "" {
		s += " " + p.UUID
	} else {
		s += " " + strconv.FormatUint(p.ID, 10)
	}
	if p.Name != "" {
		s += " " + p.Name
	}
	return s
}
