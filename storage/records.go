package storage

import (
	"strings"

	"billd/rating"
)

// ContractorByName finds a contractor.
func (tx *Tx) ContractorByName(name string) (*Contractor, error) {
	return tx.Contractors.Find(bContractorName, textKey(name))
}

// PlanByName finds a rate plan.
func (tx *Tx) PlanByName(name string) (*rating.RatePlan, error) {
	return tx.Plans.Find(bRatePlanName, textKey(name))
}

// ContactOf finds a contractor's contact by its address in any case, and makes it where there is none.
func (tx *Tx) ContactOf(contractor uint64, email string) (*Contact, error) {
	var found *Contact
	err := tx.ContactsOf(contractor, func(c *Contact) (bool, error) {
		if strings.EqualFold(c.Email, email) {
			found = c
		}
		return found == nil, nil
	})
	if err != nil || found != nil {
		return found, err
	}
	found = &Contact{Contractor: contractor, Email: email}
	return found, tx.Contacts.Put(found)
}

// OpenBalance posts what an account held in the system that it comes from, once; nothing when it is 0.
func (tx *Tx) OpenBalance(a *rating.Account, balance rating.Money) error {
	if balance == 0 {
		return nil
	}
	p := transfer(rating.PostingOpening, a, SystemLedger(rating.LedgerAdjustment, a.Currency), balance)
	p.Ref, p.Text, p.Service = openingRef(a), "Opening balance", "adjustments"
	_, err := tx.Post(p)
	return err
}
