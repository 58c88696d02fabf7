package paper

// maxPartyLines bounds an address: one that is a novel must not push everything off the page.
const maxPartyLines = 8

// head is the seller on the left and the title on the right.
func (p *pen) head() {
	p.SetFillColor(accent[0], accent[1], accent[2])
	p.Rect(0, 0, pageWidth, 4, "F")
	p.SetXY(margin, margin-2)
	end := p.party(p.d.Seller, width*0.55, 14)
	p.SetXY(margin+width*0.55, margin-2)
	if p.d.Mark != "" {
		p.write("B", normal, warning)
		p.cell(width*0.45, 5, p.d.Mark, "R")
		p.SetXY(margin+width*0.55, margin+3)
	}
	p.write("B", 24, accent)
	p.cell(width*0.45, 11, p.d.Title, "R")
	y := max(end, margin+17) + 4
	p.rule(y, 0.3, line)
	p.SetY(y + 6)
}

// party writes a name and an address from where the pen is, and returns where it ends.
func (p *pen) party(who Party, w, size float64) float64 {
	x, y := p.GetXY()
	p.write("B", size, ink)
	for i, text := range p.SplitText(p.readable(who.Name), w) {
		if i == 2 {
			break
		}
		p.SetXY(x, y)
		p.cell(w, size*0.45, text, "L")
		y += size * 0.45
	}
	y++
	p.write("", small+0.5, grey)
	left := maxPartyLines
	for _, lines := range who.Lines {
		for _, text := range p.SplitText(p.readable(lines), w) {
			if left--; left < 0 {
				return y
			}
			p.SetXY(x, y)
			p.cell(w, 4.2, text, "L")
			y += 4.2
		}
	}
	return y
}

// parties is the buyer on the left and the facts on the right.
func (p *pen) parties() {
	top := p.GetY()
	p.write("", small, grey)
	p.cell(width*0.5, 4, p.d.BuyerIs, "L")
	p.SetXY(margin, top+5)
	end := p.party(p.d.Buyer, width*0.5, 11)
	const label = 30.0
	x, y := margin+width*0.53, top
	for _, f := range p.d.Facts {
		p.SetXY(x, y)
		p.write("", small+0.5, grey)
		p.cell(label, 5, f.Label, "L")
		p.write("B", small+0.5, ink)
		p.cell(pageWidth-margin-x-label, 5, f.Value, "R")
		y += 5
	}
	p.SetY(max(end, y) + 8)
}

// due is the sum in its box, and the notes.
func (p *pen) due() {
	const h = 13.0
	if p.GetY()+h > pageHeight-foot {
		p.AddPage()
	}
	y := p.GetY() + 3
	p.SetFillColor(accent[0], accent[1], accent[2])
	x := margin + width*0.45
	p.Rect(x, y, pageWidth-margin-x, h, "F")
	white := colour{255, 255, 255}
	p.SetXY(x+3, y)
	p.write("", 10.5, white)
	p.cell(width*0.2, h, p.d.Due.Label, "L")
	p.SetXY(x+width*0.2, y)
	p.write("B", 15, white)
	p.cell(pageWidth-margin-x-width*0.2-2, h, p.d.Due.Value, "R")
	p.SetXY(margin, y+h+4)
	p.write("", small, grey)
	for _, note := range p.d.Notes {
		for _, text := range p.SplitText(p.readable(note), width) {
			p.room(4)
			p.write("", small, grey)
			p.SetX(margin)
			p.cell(width, 4, text, "L")
			p.SetY(p.GetY() + 4)
		}
	}
	p.SetY(p.GetY() + 4)
}

// room begins a page if less than h is left of this one, and reports whether it did.
func (p *pen) room(h float64) bool {
	if p.GetY()+h <= pageHeight-foot {
		return false
	}
	p.AddPage()
	p.SetXY(margin, margin)
	return true
}

// section is a table under its heading, which does not stand alone at the foot of a page.
func (p *pen) section(t *Table) {
	p.room(10 + 4*rowHeight)
	p.SetX(margin)
	p.write("B", 12, accent)
	p.cell(width, 8, t.Title, "L")
	p.SetY(p.GetY() + 9)
	p.table(t)
	p.SetY(p.GetY() + 6)
}

// table draws the rows; its head is repeated on each page.
func (p *pen) table(t *Table) {
	p.columns(t)
	for i, row := range t.Rows {
		if p.room(rowHeight) {
			p.columns(t)
		}
		if i%2 == 1 {
			p.SetFillColor(shade[0], shade[1], shade[2])
			p.Rect(margin, p.GetY(), width, rowHeight, "F")
		}
		p.write("", small, ink)
		p.row(t, row)
	}
	for i, row := range t.Sums {
		if p.room(rowHeight + 1) {
			p.columns(t)
		}
		if i == 0 {
			p.rule(p.GetY(), 0.3, ink)
			p.SetY(p.GetY() + 0.5)
		}
		p.write("B", small, ink)
		p.row(t, row)
	}
}

func (p *pen) columns(t *Table) {
	p.write("B", small-0.5, grey)
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	p.row(t, names)
	p.rule(p.GetY(), 0.3, accent)
	p.SetY(p.GetY() + 0.5)
}

func (p *pen) row(t *Table, cells []string) {
	shares := 0.0
	for _, c := range t.Columns {
		shares += c.Width
	}
	p.SetX(margin)
	for i, c := range t.Columns {
		align := "L"
		if c.Right {
			align = "R"
		}
		p.cell(width*c.Width/shares, rowHeight, cells[i], align)
	}
	p.SetXY(margin, p.GetY()+rowHeight)
}
