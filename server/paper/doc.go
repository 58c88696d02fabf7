// Package paper draws a business document as a PDF: who it is from and to, what it is about, totals,
// and tables that run over as many pages as they need. It knows layout and nothing of billing: texts and
// figures come ready to be read.
//
// The same Document is the same file, byte for byte. Letters are those of the Go fonts: Latin, Greek and
// Cyrillic; one of another script is drawn as a question mark. It imports a PDF library, the fonts and
// the standard library.
//
//	pdf, err := paper.Draw(&paper.Document{Title: "Invoice", Seller: paper.Party{Name: "Northfield Ltd"}, …})
package paper
