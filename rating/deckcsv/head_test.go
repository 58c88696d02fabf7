package deckcsv

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func TestEncodings(t *testing.T) {
	const text = "prefix;name;price\n49;Österreich;0,05\n7;Москва;0,1\n"
	const want = "49 0.05 60/60 \"Österreich\"\n7 0.1 60/60 \"Москва\""
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, bom).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	west, _ := charmap.Windows1252.NewEncoder().String("prefix;name;price\n49;Österreich;0,05\n33;Réunion;0,1\n")
	cyrillic, _ := charmap.Windows1251.NewEncoder().String("prefix;name;price\n7;Россия;0,05\n375;Беларусь;0,1\n")
	for _, tt := range []struct{ name, text, encoding, want string }{
		{"UTF-8 with a mark", "\ufeff" + text, "UTF-8", want},
		{"UTF-16 little-endian", utf16(unicode.LittleEndian, unicode.UseBOM), "UTF-16LE", want},
		{"UTF-16 big-endian", utf16(unicode.BigEndian, unicode.UseBOM), "UTF-16BE", want},
		{"UTF-16 without a mark", utf16(unicode.LittleEndian, unicode.IgnoreBOM), "UTF-16LE", want},
		{"Windows-1252", west, "Windows-1252", "49 0.05 60/60 \"Österreich\"\n33 0.1 60/60 \"Réunion\""},
		{"Windows-1251", cyrillic, "Windows-1251", "7 0.05 60/60 \"Россия\"\n375 0.1 60/60 \"Беларусь\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readText(t, tt.text, Options{})
			compare(t, got, tt.want)
			if got.layout.Encoding != tt.encoding {
				t.Errorf("encoding %s, want %s", got.layout.Encoding, tt.encoding)
			}
			if strings.HasPrefix(tt.encoding, "Windows") && len(got.layout.Warnings) == 0 {
				t.Error("no warning of the code page")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		options          Options
	}{
		{"empty", " \n", "the file is empty", Options{}},
		{"one column", "44\n45\n", "no columns: no line has a comma, semicolon, tab or bar", Options{}},
		{"prose", "Hello, world\nHow are you, friend\n", "no prefix column and no price per minute; headers seen: Hello, world", Options{}},
		{"three prices of a jurisdiction deck", "code,interrate,intrarate,ijrate\n201200,0.1,0.2,0.3\n", "the list has prices by jurisdiction, inter, intra, indeterminate, and a rate depends on the called number alone: say which counts: inter, intra, indeterminate or highest", Options{}},
		{"country letters are no prefix", "Country Code,Rate\nDE,0.1\nFR,0.2\n", "no prefix column; headers seen: Country Code, Rate", Options{}},
		{"no header and two prices", "44,0.1,0.2\n45,0.3,0.4\n", "no header, and columns 2 and 3 could both be the price per minute: say which", Options{}},
		{"no header and a country column", "61,38,0.1\n61,39,0.2\n61,40,0.1\n", "no header, and column 1 has the same digits in many lines: say which column is the prefix", Options{}},
		{"a binary file", "prefix,price\n\x00\x01\x02", "not a text file: it holds zero bytes", Options{}},
		{"a later export", "format,prefix,price\nbilld/2,44,0.1\n", "format billd/2: this billd reads billd/1", Options{}},
		{"a delimiter that is none", "prefix,price\n", "delimiter 'x': want , ; tab or |", Options{Delimiter: 'x'}},
		{"a field that is none", "prefix,price\n", `columns: "prise" for "p": want one of`, Options{Columns: map[string]string{"p": "prise"}}},
		{"a column that is not there", "code,name\n44,UK\n", "no price per minute; headers seen: code, name; columns asked for: tarif", Options{Columns: map[string]string{"Tarif": "price"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewReader(strings.NewReader(tt.text), tt.options)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
