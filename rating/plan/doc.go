// Package plan prices what an account has: from service plans and quantities to invoices, and from two
// invoices to what changed between them.
//
// A service plan names categories (devices, users, phone_numbers) and in each the items it prices; the
// item "_all" prices a whole category as one line. Plans, and what overrides them, are documents as
// Kazoo keeps them, so an item is merged as a document and read as numbers only afterwards. The
// package knows no store and no clock; it imports rating and the standard library. Amounts are
// rating.Money throughout: a price with more than 6 decimals is rounded when it is read.
//
// # Example
//
//	invoices, err := plan.Price(assigned, overrides, counts, resellerID)
//	plan.Compare(before, invoices) // fills the changes and the activation charges
//
// Source: contract Kazoo, sections 5 and 6; its worked numbers are in testdata/items.txt.
package plan
