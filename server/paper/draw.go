package paper

import (
	"bytes"
	"fmt"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// Measures of the page, in millimetres, and of letters, in points. The page is A4.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 18.0
	width      = pageWidth - 2*margin
	foot       = 20.0 // kept free at the bottom
	rowHeight  = 5.2
	small      = 8.0
	normal     = 9.5
)

// colour is red, green, blue.
type colour [3]int

var (
	ink     = colour{33, 37, 41}
	grey    = colour{108, 117, 125}
	accent  = colour{22, 78, 116}
	line    = colour{206, 212, 218}
	shade   = colour{241, 244, 247}
	warning = colour{176, 58, 46}
)

// pen draws one document.
type pen struct {
	*fpdf.Fpdf
	d     *Document
	font  *sfnt.Font
	buf   sfnt.Buffer
	known map[rune]bool // whether the font has a letter
	pages int           // how many there will be, 0 while that is not known
}

// Draw returns the document as a PDF. Fails only if the library does.
func Draw(d *Document) ([]byte, error) {
	p := &pen{d: d, known: map[rune]bool{}}
	if err := p.open(); err != nil {
		return nil, err
	}
	for range 2 { // the first time to learn how many pages there are
		if err := p.draw(); err != nil {
			return nil, err
		}
		p.pages = p.PageCount()
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return out.Bytes(), nil
}

// open reads the font that tells which letters can be drawn.
func (p *pen) open() (err error) {
	if p.font, err = sfnt.Parse(goregular.TTF); err != nil {
		return fmt.Errorf("paper: font: %w", err)
	}
	return nil
}

func (p *pen) draw() error {
	p.Fpdf = fpdf.New("P", "mm", "A4", "")
	p.AddUTF8FontFromBytes("go", "", goregular.TTF)
	p.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	p.SetCatalogSort(true)
	p.SetCreationDate(p.d.At.UTC())
	p.SetModificationDate(p.d.At.UTC())
	p.SetProducer("billd", true)
	p.SetTitle(p.readable(p.d.Name), true)
	p.SetAuthor(p.readable(p.d.Seller.Name), true)
	p.SetLang("en")
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, foot)
	p.SetFooterFunc(p.footer)
	p.SetCellMargin(1)
	p.AddPage()
	p.head()
	p.parties()
	if p.d.Summary != nil {
		p.table(p.d.Summary)
	}
	p.due()
	for i := range p.d.Sections {
		p.section(&p.d.Sections[i])
	}
	if err := p.Error(); err != nil {
		return fmt.Errorf("paper: %w", err)
	}
	return nil
}

// write sets style, size and colour of what follows.
func (p *pen) write(style string, size float64, c colour) {
	p.SetFont("go", style, size)
	p.SetTextColor(c[0], c[1], c[2])
}

// readable keeps what the fonts can draw.
func (p *pen) readable(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		switch ok, seen := p.known[r]; {
		case r == '\t' || r == '\n' || r == '\r':
			r = ' '
		case !seen:
			g, err := p.font.GlyphIndex(&p.buf, r)
			ok = err == nil && g != 0 && r <= 0xFFFF && r >= ' '
			p.known[r] = ok
			fallthrough
		default:
			if !ok {
				r = '?'
			}
		}
		out = append(out, r)
	}
	return string(out)
}

// fit cuts a text to a width, with an ellipsis.
func (p *pen) fit(s string, w float64) string {
	s = p.readable(s)
	if w -= 2 * p.GetCellMargin(); p.GetStringWidth(s) <= w {
		return s
	}
	letters := []rune(s)
	low, high := 0, len(letters) // the most letters that fit
	for low < high {
		mid := (low + high + 1) / 2
		if p.GetStringWidth(string(letters[:mid])+"…") <= w {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(letters[:low]) + "…"
}

// cell writes one line of text and stays on it.
func (p *pen) cell(w, h float64, text, align string) {
	p.CellFormat(w, h, p.fit(text, w), "", 0, align, false, 0, "")
}

// rule draws a horizontal line.
func (p *pen) rule(y, thick float64, c colour) {
	p.SetDrawColor(c[0], c[1], c[2])
	p.SetLineWidth(thick)
	p.Line(margin, y, pageWidth-margin, y)
}

// footer ends each page.
func (p *pen) footer() {
	p.rule(pageHeight-foot+4, 0.2, line)
	p.SetXY(margin, pageHeight-foot+5.5)
	p.write("", small-0.5, grey)
	p.cell(width*0.45, 5, p.d.Seller.Name, "L")
	p.cell(width*0.25, 5, p.d.Name, "C")
	page := fmt.Sprintf("Page %d", p.PageNo())
	if p.pages > 0 {
		page += fmt.Sprintf(" of %d", p.pages)
	}
	p.cell(width*0.3, 5, page, "R")
}
