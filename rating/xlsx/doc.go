// Package xlsx reads the cells of a workbook (Office Open XML, .xlsx) as the text that somebody sees.
//
// It reads a sheet as a stream: one row is in memory, and of the workbook its shared texts, which are
// bounded. A part of a file that claims or turns out to be larger than a named limit, or that is
// packed more tightly than rates ever are, is refused before it does harm.
//
// # Numbers
//
// A spreadsheet keeps a number as a binary double and writes up to 17 digits of it: 0.285 stands in
// the file as 0.28499999999999998. What was meant is what the spreadsheet shows, and it never shows
// more than 15 significant digits. So a number is read as decimal digits, never as a float, and where
// it has more than 15 significant ones it is rounded to 15, half away from zero. A whole number of
// more than 15 digits, of which a spreadsheet has lost the last, is given in the form 1.23E+17.
//
// A number whose style is a date is given as 2006-01-02, with a time of day where it has one.
//
// # Example
//
//	book, err := xlsx.Open(file, size)
//	if err != nil {
//		return err
//	}
//	rows, err := book.Rows("Pricing")
//	if err != nil {
//		return err
//	}
//	defer rows.Close()
//	for {
//		number, cells, err := rows.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err
//		}
//		fmt.Println(number, cells)
//	}
//
// The package imports rating, for its errors, and the standard library only.
package xlsx
