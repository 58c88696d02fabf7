package kazoo

import (
	"encoding/json"
	"fmt"
	"time"

	"billd/storage"
)

// auditView is an audit of an account's services as a client reads it.
type auditView struct {
	ID         string          `json:"id"`
	Audit      auditDoc        `json:"audit"`
	Invoice    json.RawMessage `json:"invoice"`
	Status     string          `json:"status"`
	Bookkeeper document        `json:"bookkeeper"`
}

// auditDoc is the part of an audit that says who did what. What billd did by itself has no request.
type auditDoc struct {
	Crossbar       bool       `json:"crossbar_request"`
	Authentication *authNote  `json:"authentication,omitempty"`
	Agent          *agent     `json:"agent,omitempty"`
	Request        *request   `json:"request,omitempty"`
	Account        accountRef `json:"account"`
	Changes        document   `json:"changes"`
}

type authNote struct {
	Type        string `json:"type"`
	AccountID   string `json:"account_id"`
	AccountName string `json:"account_name"`
}

type agent struct {
	Type      string `json:"type"`
	TypeID    string `json:"type_id"`
	AccountID string `json:"account_id"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	FullName  string `json:"full_name,omitempty"`
}

type request struct {
	ID       string `json:"id"`
	ClientIP string `json:"client_ip"`
	Method   string `json:"method"`
	Path     string `json:"path"`
}

// auditID spells an audit's id: the month, then its number in 32 hex digits.
func auditID(at time.Time, n uint64) string {
	return fmt.Sprintf("%s-%032x", at.UTC().Format("200601"), n)
}

func (x *exchange) newAuditView(a *storage.ServiceAudit) *auditView {
	doc := auditDoc{Account: accountRef{x.account.UUID.Hex(), a.Name}, Changes: document{"account_id": a.From, "account_name": a.FromName}}
	if len(a.Types) > 0 {
		doc.Changes["type"] = a.Types
	}
	if by := a.By; by != nil {
		doc.Crossbar = true
		doc.Authentication = &authNote{by.Carrier, by.Account, by.Name}
		doc.Request = &request{by.Request, by.Client, by.Method, by.Path}
		if by.User != "" {
			doc.Agent = &agent{"user", by.User, by.Account, by.FirstName, by.LastName, fullName(by.FirstName, by.LastName)}
		}
	}
	b := a.Bookkeeper
	return &auditView{auditID(a.At, a.ID), doc, a.Invoice, a.Status, document{"id": b.ID, "type": b.Type, "vendor_id": b.Vendor, "results": []any{}}}
}

func fullName(first, last string) string {
	if first == "" || last == "" {
		return first + last
	}
	return first + " " + last
}

// auditRow is an audit in a listing.
type auditRow struct {
	ID      string          `json:"id"`
	Status  string          `json:"status"`
	Type    []string        `json:"type,omitempty"`
	Summary json.RawMessage `json:"summary"`
}
