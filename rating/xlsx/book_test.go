package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"billd/rating"
)

const rel = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`

// parts are the parts of a workbook with one sheet of the XML given.
func parts(sheet string) map[string]string {
	return map[string]string{
		"_rels/.rels":                `<Relationships><Relationship Id="a" Type="` + rel + `officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><x:workbook xmlns:x="u" xmlns:r="v"><!-- > a < --><x:workbookPr date1904="0"/><x:sheets><x:sheet name="Rates &amp; more" sheetId="1" r:id="a"/><x:sheet name="Hidden" sheetId="2" r:id="a" state="hidden"/><x:sheet name="Chart" r:id="c"/></x:sheets></x:workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="a" Type="` + rel + `worksheet" Target="worksheets/s.xml"/><Relationship Id="b" Type="` + rel + `sharedStrings" Target="texts.xml"/><Relationship Id="s" Type="` + rel + `styles" Target="styles.xml"/><Relationship Id="c" Type="` + rel + `chartsheet" Target="c.xml"/></Relationships>`,
		"xl/texts.xml":               `<sst><si><t>plain</t></si><si><r><t>rich </t></r><r><rPr><b/></rPr><t xml:space="preserve">text</t></r><rPh sb="0"><t>spoken</t></rPh></si><si/><si><t>&lt;a&gt; &#65;&#x42; _x000A_<![CDATA[<&>]]></t></si></sst>`,
		"xl/styles.xml":              `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
		"xl/worksheets/s.xml":        sheet,
	}
}

func pack(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range parts {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read returns the rows of a file's first sheet, and how reading it ended.
func read(file []byte) (rows []string, err error) {
	b, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	r, err := b.Rows(b.Sheets()[0].Name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		n, cells, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, fmt.Sprintf("%d:%s", n, strings.Join(cells, "|")))
	}
}

func TestCellsOfEveryKind(t *testing.T) {
	file := pack(t, parts(`<worksheet><dimension ref="A1"/><sheetData>
		<row r="2"><c r="B2" t="s"><v>0</v></c><c t="s"><v>1</v></c><c r="E2" t="s"><v>3</v></c><c r="F2" t="s"><v>2</v></c></row>
		<row/><row r="7" ht="1"><c r="A7"><v>0.28499999999999998</v></c><c s="1"><v>46053</v></c><c s="2"><v>46053.5</v></c><c s="0"><v>46053</v></c><c t="b"><v>1</v></c>
			<c t="str"><f>A1&amp;"&lt;"</f><v>x &amp; y</v></c><c t="e"><v>#REF!</v></c><c t="inlineStr"><is><r><t>in</t></r><t>line</t></is></c><c t="d"><v>2026-01-31</v></c><c><f>1</f></c><c/></row>
		</sheetData><tail/></worksheet>`))
	rows, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2:|plain|rich text||<a> AB \n<&>", "3:", "7:0.285|2026-01-31|2026-01-31 12:00:00|46053|TRUE|x & y|#REF!|inline|2026-01-31"}
	if fmt.Sprintf("%q", rows) != fmt.Sprintf("%q", want) {
		t.Errorf("rows\n%q\nwant\n%q", rows, want)
	}
	b, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if s := b.Sheets(); len(s) != 2 || s[0].Name != "Rates & more" || s[0].Hidden || !s[1].Hidden {
		t.Errorf("sheets %+v, want one that is seen, one that is hidden, no chart", s)
	}
	if _, err := b.Rows("Chart"); rating.KindOf(err) != rating.NotFound {
		t.Errorf("a chart: %v, want NotFound", err)
	}
}

func TestDamagedWorkbooks(t *testing.T) {
	const good = `<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>`
	with := func(name, text string) []byte {
		p := parts(good)
		if p[name] = text; text == "" {
			delete(p, name)
		}
		return pack(t, p)
	}
	sheet := func(text string) []byte { return with("xl/worksheets/s.xml", text) }
	whole := pack(t, parts(good))
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"cut short", whole[:len(whole)/2], "the workbook is damaged: it is cut short, or no archive"},
		{"no archive", []byte("PK\x03\x04 and so on"), "the workbook is damaged: it is cut short, or no archive"},
		{"nothing", nil, "the workbook is damaged: it is cut short, or no archive"},
		{"another archive", pack(t, map[string]string{"a.csv": "x"}), "an archive without a workbook; want XLSX or CSV: unpack it first"},
		{"OpenDocument", pack(t, map[string]string{"mimetype": "x", "content.xml": "x"}), "an OpenDocument file; want XLSX or CSV: save the sheet with the prices as one of them"},
		{"XLSB", pack(t, map[string]string{"xl/workbook.bin": "x"}), "a binary workbook (XLSB); want XLSX or CSV: save it as one of them"},
		{"no sheet", with("xl/worksheets/s.xml", ""), "the workbook is damaged: it has no sheet"},
		{"a sheet that ends", sheet(`<worksheet><sheetData><row><c><v>1</v></c></row><row><c>`), "the workbook is damaged: the sheet ends too early, in row 2"},
		{"a tag that ends", sheet(`<worksheet><sheetData><row><c r="A1`), "the workbook is damaged: it ends inside an XML tag"},
		{"rows backwards", sheet(`<worksheet><sheetData><row r="5"/><row r="4"/></sheetData></worksheet>`), "the workbook is damaged: row 4 after row 5"},
		{"a row past the end", sheet(`<worksheet><sheetData><row r="99999999"/></sheetData></worksheet>`), "the workbook is damaged: row 99999999 after row 0"},
		{"a text that is not", sheet(`<worksheet><sheetData><row><c t="s"><v>9</v></c></row></sheetData></worksheet>`), "the workbook is damaged: row 1 names text 9, and there is none"},
		{"no cells", sheet(`<worksheet/>`), "the workbook is damaged: a sheet without cells"},
		{"binary", sheet("\x00\x01\x02\xff<\xfe>"), "the workbook is damaged: a sheet without cells"},
		{"a document type", sheet(`<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>`), "the workbook is damaged: it declares a document type"},
		{"UTF-16", sheet("\xff\xfe<\x00"), "the workbook is damaged: its XML is UTF-16, want UTF-8"},
		{"a cell without end", sheet(`<worksheet><sheetData><row><c t="str"><v>` + strings.Repeat("x", maxCell+10)), "the workbook is damaged: a cell of more than 262144 bytes"},
		{"a tag without end", sheet(`<worksheet><sheetData><row ` + strings.Repeat("x", maxTag+10)), "the workbook is damaged: an XML tag of more than 65536 bytes"},
		{"CDATA without end", sheet(`<worksheet><sheetData><row><c><v><![CDATA[` + strings.Repeat("x", maxCell*3)), "the workbook is damaged: an XML tag of more than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := read(tt.file); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte("xl/worksheets/s.xml"))+len("xl/worksheets/s.xml")+10] ^= 0xff
	if _, err := read(flipped); err == nil {
		t.Error("a changed byte went unnoticed")
	}
}

// repeated reads one text again and again.
type repeated struct {
	text string
	left int64
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= int64(n)
	return n, nil
}

// bomb is a workbook whose part unpacks to size bytes of text repeated behind a beginning.
func bomb(t *testing.T, part, begin, text string, size int64) []byte {
	t.Helper()
	all := parts(`<worksheet><sheetData/></worksheet>`)
	delete(all, part)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range all {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create(part)
	if err == nil {
		_, err = io.WriteString(w, begin)
	}
	if err == nil {
		_, err = io.Copy(w, &repeated{text: text, left: size})
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBombsAreRefusedInBoundedMemory(t *testing.T) {
	const size = 18 << 20
	for _, tt := range []struct{ name, part, begin, text, want string }{
		{"a sheet of rows", "xl/worksheets/s.xml", "<worksheet><sheetData>", "<row></row>", "part xl/worksheets/s.xml of the workbook unpacks to more than 200 times its size"},
		{"one cell", "xl/worksheets/s.xml", "<worksheet><sheetData><row><c><v>", "1111111111", "the workbook is damaged: a cell of more than 262144 bytes"},
		{"one row", "xl/worksheets/s.xml", "<worksheet><sheetData><row>", "<c><v>1</v></c>", "part xl/worksheets/s.xml of the workbook unpacks to more than 200 times its size"},
		{"a comment", "xl/worksheets/s.xml", "<worksheet><!--", "xxxxxxxxx>", "part xl/worksheets/s.xml of the workbook unpacks to more than 200 times its size"},
		{"shared texts", "xl/texts.xml", "<sst>", "<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>", "part xl/texts.xml of the workbook unpacks to more than 200 times its size"},
		{"styles", "xl/styles.xml", "<styleSheet>", "<xf/>", "part xl/styles.xml of the workbook unpacks to more than 16777216 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := bomb(t, tt.part, tt.begin, tt.text, size)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			n := 0
			b, err := Open(bytes.NewReader(file), int64(len(file)))
			if err == nil {
				var r *Rows
				if r, err = b.Rows(b.Sheets()[0].Name); err == nil {
					for err == nil {
						_, _, err = r.Next()
						n++
					}
					r.Close()
				}
			}
			runtime.ReadMemStats(&after)
			if err == nil || err.Error() != tt.want {
				t.Errorf("after %d rows: %v, want %q", n, err, tt.want)
			}
			if grown := int64(after.Sys) - int64(before.Sys); grown > 160<<20 {
				t.Errorf("memory grew by %d MB for a file of %d bytes", grown>>20, len(file))
			}
		})
	}
}

func TestTooManyPartsAreNotListed(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := range 60_000 {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%080d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := read(out.Bytes()); rating.KindOf(err) != rating.Limit {
		t.Errorf("error %v, want Limit", err)
	}
}

// FuzzSheet checks that no sheet makes the reader panic, go on for ever, or give a row past its bounds.
func FuzzSheet(f *testing.F) {
	for _, s := range []string{
		`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>`, `<sheetData><row><c t="inlineStr"><is><t>a</t></is></c>`,
		`<sheetData/>`, `<!-- x --><sheetData><row><c><v><![CDATA[1]]></v></c></row></sheetData>`, `<sheetData><row r="9"><c r="ZZZ9"><v>1e5</v></c></row>`, "<a b='>'><sheetData>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sheet string) {
		rows, err := read(pack(t, parts(sheet)))
		if len(rows) > len(sheet) {
			t.Fatalf("%d rows of %d bytes", len(rows), len(sheet))
		}
		if err != nil && rating.KindOf(err) == rating.Internal {
			t.Fatalf("error %v, want one that says what is wrong", err)
		}
	})
}
