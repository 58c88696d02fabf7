package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressEvery bounds how often the bar is drawn.
const progressEvery = 100 * time.Millisecond

// progress draws a long command's bar on a terminal, and nothing elsewhere.
type progress struct {
	w    io.Writer // nil when there is no terminal
	bar  *progressbar.ProgressBar
	what string
}

func newProgress(w io.Writer) *progress {
	if isTerminal(w) {
		return &progress{w: w}
	}
	return &progress{}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// report is ops.IO's Progress.
func (p *progress) report(done, total int64, what string) {
	if p.w == nil {
		return
	}
	if total <= 0 {
		total = -1 // a spinner
	}
	if p.bar == nil || p.what != what {
		p.clear()
		p.what = what
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(what == "bytes"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(what), progressbar.OptionThrottle(progressEvery), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetSpinnerChangeInterval(0)) // turned by each report: left to itself it draws on after clear
	}
	if total > 0 && p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	p.bar.Set64(done)
}

// clear takes the bar off the screen.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
}

// over returns w, made to clear the bar first where both are on the screen.
func (p *progress) over(w io.Writer) io.Writer {
	if p.w == nil || !isTerminal(w) {
		return w
	}
	return clearing{p, w}
}

type clearing struct {
	p *progress
	w io.Writer
}

func (c clearing) Write(b []byte) (int, error) {
	c.p.clear()
	return c.w.Write(b)
}
