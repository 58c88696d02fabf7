package storage

import (
	"billd/rating"
	"billd/storage/kv"
)

// OperatorByLogin finds an operator.
func (tx *Tx) OperatorByLogin(login string) (*Operator, error) {
	return tx.Operators.Find(bOperatorLogin, textKey(login))
}

// AccessByLogin finds a customer's login.
func (tx *Tx) AccessByLogin(login string) (*Access, error) {
	return tx.Accesses.Find(bAccessLogin, textKey(login))
}

// UserByUUID finds a user.
func (tx *Tx) UserByUUID(u rating.UUID) (*User, error) { return tx.Users.Find(bUserUUID, uuidKey(u)) }

// UsersOf calls fn with an account's users in order of their names until it returns false.
func (tx *Tx) UsersOf(id rating.AccountID, fn func(*User) (bool, error)) error {
	return tx.Users.EachUnder(bUserAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// UsersByKey calls fn with the users that a Kazoo login key finds until it returns false.
func (tx *Tx) UsersByKey(key []byte, fn func(*User) (bool, error)) error {
	return tx.Users.EachUnder(bUserKey, key, fn)
}
