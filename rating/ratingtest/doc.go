// Package ratingtest keeps a bill book in memory, as plainly as it can be written: the model that the
// stored book is compared with.
//
// It looks calls up by walking all of them, keeps every sum in a map and knows no transaction. What it
// and the store disagree about is a fault in one of them.
//
//	book := ratingtest.NewBook(rating.Settings{})
//	book.AddAccount(&rating.Account{ID: 1, Name: "Northfield", Currency: rating.Currency{'E', 'U', 'R'}})
//	v, err := book.Charge(&call, time.Now())
//
// It imports rating and the standard library, and only tests import it.
package ratingtest
