package kazoo

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"billd/rating"
	"billd/storage"
)

// relative is an account in a listing.
type relative struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Realm       string   `json:"realm"`
	Descendants *int     `json:"descendants_count,omitempty"`
	Flags       []string `json:"flags,omitempty"`
}

func newRelative(a *rating.Account) relative {
	r := relative{ID: a.UUID.Hex(), Name: a.Name, Realm: a.Realm}
	flags, _ := readDocument(a.Doc)["flags"].([]any)
	for _, f := range flags {
		if s, ok := plain(f); ok {
			r.Flags = append(r.Flags, s)
		}
	}
	return r
}

func newRelatives(accounts []*rating.Account) []relative {
	rows := make([]relative, len(accounts))
	for i, a := range accounts {
		rows[i] = newRelative(a)
	}
	return rows
}

// nameKey is a row's place in a listing: the name, then the id.
func nameKey(r relative) string { return strings.ToLower(r.Name) + "\x00" + r.ID }

// countBelow fills how many accounts there are under each row.
func countBelow(tx *storage.Tx, accounts []*rating.Account, rows []relative) error {
	for i, a := range accounts {
		n := 0
		err := tx.Descendants(a.ID, func(*rating.Account) (bool, error) {
			n++
			return true, nil
		})
		if err != nil {
			return err
		}
		rows[i].Descendants = &n
	}
	return nil
}

func listChildren(x *exchange) (*answer, error) {
	var children []*rating.Account
	var rows []relative
	err := x.view(func(tx *storage.Tx) (err error) {
		if children, err = tx.Children(x.account.ID); err != nil {
			return err
		}
		rows = newRelatives(children)
		return countBelow(tx, children, rows)
	})
	if err != nil {
		return nil, err
	}
	return x.listAccounts(children, rows)
}

// listAccounts answers with a page of accounts, ordered by name.
func (x *exchange) listAccounts(accounts []*rating.Account, rows []relative) (*answer, error) {
	out := make([]listed, len(accounts))
	for i, a := range accounts {
		out[i] = listed{place: nameKey(rows[i]), row: rows[i], created: a.CreatedAt, changed: a.ChangedAt, whole: func() document {
			var above []*rating.Account
			err := x.view(func(tx *storage.Tx) (err error) {
				above, err = tx.Ancestors(a.ID)
				return err
			})
			if err != nil {
				return document{} // closed since it was listed
			}
			return x.accountView(a, above)
		}}
	}
	return x.list(out)
}

func listDescendants(x *exchange) (*answer, error) {
	var all []*rating.Account
	err := x.view(func(tx *storage.Tx) error {
		return tx.Descendants(x.account.ID, func(a *rating.Account) (bool, error) {
			all = append(all, a)
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return x.listAccounts(all, newRelatives(all))
}

// listSiblings lists the accounts beside one, as far as the token reaches them: what a customer's
// neighbours are called is not the customer's business.
func listSiblings(x *exchange) (*answer, error) {
	beside := []*rating.Account{x.account}
	if len(x.above) > 0 && reaches(x.me, x.above[0], x.above[1:]) {
		err := x.view(func(tx *storage.Tx) (err error) {
			beside, err = tx.Children(x.above[0].ID)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return x.listAccounts(beside, newRelatives(beside))
}

// listParents lists the accounts above one, the master first.
func listParents(x *exchange) (*answer, error) {
	rows := newRelatives(x.above)
	slices.Reverse(rows)
	return &answer{data: rows}, nil
}

// listTree lists the way down from the token's account to the target, without the target.
func listTree(x *exchange) (*answer, error) {
	rows := []relative{}
	for _, a := range x.above {
		if x.account.ID == x.me.ID {
			break
		}
		rows = append(rows, newRelative(a))
		if a.ID == x.me.ID {
			break
		}
	}
	slices.Reverse(rows)
	return &answer{data: rows}, nil
}

// newKey gives an account another API key; the old one stops working.
func newKey(x *exchange) (*answer, error) {
	a, err := x.changeTarget(func(_ *storage.Tx, a *rating.Account) error {
		a.APIKey = hex.EncodeToString(randomBytes(apiKeyLength / 2))
		return nil
	})
	if err != nil {
		return nil, err
	}
	x.api.tokens.Forget()
	return &answer{data: document{"api_key": a.APIKey}}, nil
}

// changeTarget changes the target account in one transaction.
func (x *exchange) changeTarget(change func(*storage.Tx, *rating.Account) error) (a *rating.Account, err error) {
	err = x.update(func(tx *storage.Tx) (err error) {
		if a, err = tx.OpenAccount(x.account.ID); err != nil {
			return err
		}
		if err := change(tx, a); err != nil {
			return err
		}
		return tx.SaveAccount(a)
	})
	return a, err
}

func promote(x *exchange) (*answer, error) { return x.setReseller(true) }

func demote(x *exchange) (*answer, error) {
	if x.account.ID == rating.MasterAccount {
		return nil, forbidden()
	}
	return x.setReseller(false)
}

// setReseller makes the target a reseller or an ordinary account. Those below it would change hands,
// so it must have none.
func (x *exchange) setReseller(is bool) (*answer, error) {
	a, err := x.changeTarget(func(tx *storage.Tx, a *rating.Account) error {
		if a.Reseller == is {
			return nil
		}
		a.Reseller = is
		return childless(tx, a.ID)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: x.accountView(a, x.above), revision: stored}, nil
}

// moveAccount puts the target under another account.
func moveAccount(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	f.need("to")
	id, ok := hexID(f.text("to", 1, 64))
	if err := f.err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid("to", "not_found", "Account does not exist")
	}
	if x.account.ID == rating.MasterAccount {
		return nil, forbidden()
	}
	var above []*rating.Account
	a, err := x.changeTarget(func(tx *storage.Tx, a *rating.Account) error {
		to, err := tx.AccountByUUID(id)
		if rating.KindOf(err) == rating.NotFound {
			return invalid("to", "not_found", "Account does not exist")
		}
		if err != nil {
			return err
		}
		over, err := tx.Ancestors(to.ID)
		if err != nil {
			return err
		}
		if reaches(a, to, over) {
			return invalid("to", "invalid", "An account cannot be moved below itself")
		}
		deep, err := height(tx, a.ID)
		if err != nil {
			return err
		}
		if deep+len(over)+2 > rating.MaxAccountDepth {
			return invalid("to", "maximum", "The tree would be too deep", "target", rating.MaxAccountDepth)
		}
		a.Parent, above = to.ID, append([]*rating.Account{to}, over...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, data: x.accountView(a, above), revision: stored}, nil
}

// height returns how many levels there are below an account.
func height(tx *storage.Tx, id rating.AccountID) (int, error) {
	levels := map[rating.AccountID]int{id: 0}
	most := 0
	err := tx.Descendants(id, func(a *rating.Account) (bool, error) {
		levels[a.ID] = levels[a.Parent] + 1
		most = max(most, levels[a.ID])
		return true, nil
	})
	return most, err
}
