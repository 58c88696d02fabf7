package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestProgressIsDrawnOnATerminalOnly(t *testing.T) {
	var elsewhere, screen bytes.Buffer
	quiet := newProgress(&elsewhere)
	quiet.report(1, 2, "rows")
	quiet.clear()
	if elsewhere.Len() > 0 || quiet.over(&elsewhere) != io.Writer(&elsewhere) {
		t.Errorf("wrote %q where there is no terminal, want nothing", elsewhere.String())
	}
	p := &progress{w: &screen}
	p.report(0, 100, "rows")
	p.report(50, 100, "rows")
	p.report(10, 0, "lines")
	clearing{p, &screen}.Write([]byte("line 3: rejected\n"))
	for _, want := range []string{"rows", "0/100", "lines"} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("screen = %q, want %q in it", screen.String(), want)
		}
	}
	if got := screen.String(); !strings.HasSuffix(got, "\rline 3: rejected\n") || p.bar != nil {
		t.Errorf("screen = %q, want the bar cleared before the line", got)
	}
	time.Sleep(300 * time.Millisecond) // longer than a spinner takes to turn by itself
	if got := screen.String(); !strings.HasSuffix(got, "\rline 3: rejected\n") {
		t.Errorf("screen = %q, want nothing drawn after the line", got)
	}
}
