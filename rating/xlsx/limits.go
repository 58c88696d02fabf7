package xlsx

// Bounds of what is read of a workbook.
const (
	maxDirectory  = 4 << 20   // bytes of the archive's list of parts: about 50,000 of them
	maxSmallPart  = 16 << 20  // bytes of XML of the workbook itself, its relations and its styles
	maxTextsPart  = 256 << 20 // bytes of XML of the shared texts
	maxTexts      = 64 << 20  // bytes of shared texts that are kept
	maxTextCount  = 8_000_000 // a million rows share their destinations' names
	maxSheetPart  = 2 << 30   // bytes of XML of one sheet: a million rows of twelve cells have about 700 MB
	maxSheets     = 1_000
	maxTag        = 64 << 10  // bytes of one XML tag
	maxCell       = 256 << 10 // bytes of one cell as written; a spreadsheet holds 32,767 characters
	maxStyles     = 100_000
	maxRow        = 1_048_576 // of a sheet
	MaxColumns    = 512       // cells of a row; what is behind them is given as one more cell
	maxShownDigit = 15        // significant digits of a number that a spreadsheet shows
)

// A part that unpacks to more than packedFrom bytes and to packedRatio times its packed size is no
// sheet of anybody's: XML of rates is packed 10 to 30 times, a bomb about 1,000 times.
const (
	packedFrom  = 8 << 20
	packedRatio = 200
)
