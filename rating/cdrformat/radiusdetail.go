package cdrformat

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// RadiusDetail is the name of FreeRADIUS' detail files among the formats.
const RadiusDetail = "radius-detail"

// maxDetailLine bounds a line of a detail file in bytes: an attribute of 253, each of which may be escaped
// in four.
const maxDetailLine = 4 << 10

// maxRadiusValue is the longest value of an attribute, in bytes. Source: RFC 2865, 5.
const maxRadiusValue = 253

// Detail is one record of a detail file.
type Detail struct {
	Line   int // of the file, on which it begins, from 1
	Packet RadiusPacket
	Heard  time.Time // when the packet came to who wrote the file, zero for not known
	Sender string    // the address that it came from, "" for not known
	Raw    string    // as it stands in the file, at most MaxRecord bytes
	Bad    string    // why it is unreadable, "" when it was read
}

// DetailReader reads FreeRADIUS' detail files: a line with a time, then attributes, one a line behind a blank
// or a tab, and a blank line. Values may be quoted or not, the time be written in any way.
type DetailReader struct {
	in   *bufio.Reader
	zone *time.Location
	line int
	next string // a line that begins the next record
	has  bool
}

// NewDetailReader reads in; times that name no zone are in zone, UTC when nil.
func NewDetailReader(in io.Reader, zone *time.Location) *DetailReader {
	if zone == nil {
		zone = time.UTC
	}
	return &DetailReader{in: bufio.NewReaderSize(in, 64<<10), zone: zone}
}

// IsDetail reports whether a file begins as a detail file: with a line that is not indented, and attributes
// below it that are.
func IsDetail(head string) bool {
	head = strings.TrimLeft(strings.TrimPrefix(head, "\ufeff"), "\r\n")
	first, rest, _ := strings.Cut(head, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	_, _, is := cutAttribute(second)
	return is && !indented(first) && !strings.ContainsAny(first, "=;{") && strings.ContainsAny(first, "0123456789")
}

func indented(s string) bool { return s != "" && (s[0] == ' ' || s[0] == '\t') }

// cutAttribute parts `\tName = value`.
func cutAttribute(line string) (name, value string, ok bool) {
	if !indented(line) {
		return "", "", false
	}
	name, value, ok = strings.Cut(strings.TrimSpace(line), "=")
	name = strings.TrimRight(strings.TrimSpace(name), ":+")
	name = strings.TrimSpace(name)
	return name, strings.TrimSpace(value), ok && name != "" && !strings.ContainsAny(name, " \t\"")
}

// Read reads the next record into d. io.EOF is the end. Another error is of the stream.
func (r *DetailReader) Read(d *Detail) error {
	*d = Detail{}
	var raw strings.Builder
	var attrs []RadiusAttribute
	var stamp string
	for {
		text, long, err := r.take()
		if err == io.EOF && d.Line > 0 {
			break
		}
		if err != nil {
			return err
		}
		blank := strings.TrimSpace(text) == "" && !long
		switch {
		case blank && d.Line == 0:
			continue
		case blank:
		case d.Line > 0 && !indented(text): // no blank line between two
			r.next, r.has = text, true
			r.line--
		default:
			if d.Line == 0 {
				d.Line = r.line
			}
			if raw.Len()+len(text) < MaxRecord {
				raw.WriteString(text)
				raw.WriteByte('\n')
			} else {
				d.fault("the record is longer than " + strconv.Itoa(MaxRecord) + " bytes")
			}
			switch {
			case long:
				d.fault("line " + strconv.Itoa(r.line) + " is longer than " + strconv.Itoa(maxDetailLine) + " bytes")
			case !indented(text):
				stamp = strings.TrimSpace(text)
			case d.Bad == "":
				attrs = r.attribute(d, attrs, text)
			}
			continue
		}
		break
	}
	d.Raw = raw.String()
	r.finish(d, attrs, stamp)
	return nil
}

func (d *Detail) fault(why string) {
	if d.Bad == "" {
		d.Bad = why
	}
}

// take returns the next line without its end, at most maxDetailLine bytes of it.
func (r *DetailReader) take() (text string, long bool, err error) {
	r.line++
	if r.has {
		r.has = false
		return r.next, false, nil
	}
	var b []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if room := maxDetailLine + 2 - len(b); len(part) > room {
			part, long = part[:room], true
		}
		b = append(b, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(b) > 0:
			err = nil
		}
		if r.line == 1 {
			b = []byte(strings.TrimPrefix(string(b), "\ufeff"))
		}
		return strings.TrimRight(string(b), "\r\n"), long, err
	}
}

// attribute reads one line of a record.
func (r *DetailReader) attribute(d *Detail, attrs []RadiusAttribute, line string) []RadiusAttribute {
	name, value, ok := cutAttribute(line)
	if !ok {
		d.fault("line " + strconv.Itoa(r.line) + " is no attribute: want Name = value")
		return attrs
	}
	text := unquoteDetail(value)
	switch strings.ToLower(name) {
	case "timestamp": // the server's own, not a part of the packet
		if micro, ok := epoch(text); ok && micro >= earliestMicro && micro < latestMicro {
			d.Heard = time.UnixMicro(micro).UTC()
		}
		return attrs
	case "packet-src-ip-address", "packet-src-ipv6-address", "client-ip-address", "net.src.ip":
		d.Sender = text
		return attrs
	}
	a, ok, why := detailAttribute(name, value, text, r.zone)
	if why != "" {
		d.fault("line " + strconv.Itoa(r.line) + ": " + why)
	}
	if !ok {
		return attrs
	}
	if len(a.Value) > maxRadiusValue {
		d.fault("line " + strconv.Itoa(r.line) + ": " + name + " is longer than an attribute of RADIUS, " + strconv.Itoa(maxRadiusValue) + " bytes")
	}
	return append(attrs, a)
}

// finish makes a packet of the attributes.
func (r *DetailReader) finish(d *Detail, attrs []RadiusAttribute, stamp string) {
	if d.Bad != "" {
		return
	}
	d.Packet = NewRadiusPacket(attrs)
	if d.Heard.IsZero() {
		d.Heard = detailTime(stamp, r.zone)
	}
	if d.Packet.Status == 0 {
		d.Bad = "no Acct-Status-Type: it is no accounting record"
	} else if d.Packet.At.IsZero() && d.Heard.IsZero() {
		d.Bad = "neither Event-Timestamp nor Timestamp nor a line that says when it was"
	}
}

// detailLayouts are how the first line of a record says when it was. Source: FreeRADIUS, %t and ctime;
// the third from what others write.
var detailLayouts = [...]string{"Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon, 02 Jan 2006 15:04:05.999999999", time.RFC1123Z, "2006-01-02 15:04:05", time.RFC3339}

// detailTime reads such a line, zero for what is none.
func detailTime(s string, zone *time.Location) time.Time {
	for _, layout := range detailLayouts {
		if t, ok := zonedTime(layout, s, zone); ok && t.UnixMicro() >= earliestMicro && t.UnixMicro() < latestMicro {
			return t.UTC()
		}
	}
	return time.Time{}
}

// zonedTime reads a time whose zone may be written in letters. Other letters than UTC and GMT stand for
// several zones each: they are believed where zone goes by them at that time.
func zonedTime(layout, s string, zone *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation(layout, s, zone)
	if err != nil {
		return t, false
	}
	name, _ := t.Zone()
	return t, !strings.Contains(layout, "MST") || name == "UTC" || name == "GMT" || t.Location() == zone // other letters than zone's are of no place
}

// unquoteDetail takes quotes and escapes away: \" \\ \n \r \t and \ooo, a byte in octal.
func unquoteDetail(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if n, err := strconv.ParseUint(s[i+1:min(i+4, len(s))], 8, 8); err == nil && i+4 <= len(s) {
			b.WriteByte(byte(n))
			i += 3
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// wrongDetail says what cannot be read.
func wrongDetail(name, value, want string) string {
	return rating.Broken(name, "format", "", "%s %.60q: want %s", name, value, want).Error()
}
