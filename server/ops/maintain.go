package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// CheckArgs ask for a check of the store.
type CheckArgs struct {
	Deep bool `json:"deep,omitempty"` // every page of the file too
	JSON bool `json:"json,omitempty"`
}

// checked is what `billd check --json` prints.
type checked struct {
	Clean  bool     `json:"clean"`
	Deep   bool     `json:"deep"`
	Faults []string `json:"faults"`
}

func check(ctx context.Context, env *Env, args CheckArgs, o *IO) (int, error) {
	answer := checked{Deep: args.Deep, Faults: []string{}}
	if err := env.DB.Check(ctx, args.Deep, func(f string) { answer.Faults = append(answer.Faults, f) }); err != nil {
		return ExitFailed, err
	}
	answer.Clean = len(answer.Faults) == 0
	if err := Print(o.Out, args.JSON, answer, answer.lines); err != nil {
		return ExitFailed, err
	}
	if !answer.Clean {
		return ExitFaults, nil
	}
	return ExitOK, nil
}

// lines writes a fault a line, and whether there are any.
func (c checked) lines(w io.Writer) error {
	if c.Clean {
		_, err := fmt.Fprintln(w, "the store is sound")
		return err
	}
	for _, f := range c.Faults {
		if _, err := fmt.Fprintln(w, cellText.Replace(f)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d faults\n", len(c.Faults))
	return err
}

// backup streams a copy of the store as it is now, while work goes on.
func backup(ctx context.Context, env *Env, _ struct{}, o *IO) (int, error) {
	w := &counted{w: o.Out, total: env.DB.Stats().FileSize, report: o.Progress}
	if _, err := env.DB.Backup(ctx, w); err != nil {
		return ExitFailed, fmt.Errorf("backup: %w", err)
	}
	return ExitOK, nil
}

// counted reports how much went through it.
type counted struct {
	w           io.Writer
	done, total int64
	report      func(done, total int64, what string)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += int64(n)
	c.report(c.done, max(c.total, c.done), "bytes")
	return n, err
}

// CompactArgs ask for the store to be written anew without its free pages.
type CompactArgs struct {
	JSON bool `json:"json,omitempty"`
}

// compacted is what `billd compact --json` prints, sizes in bytes.
type compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

func compact(ctx context.Context, env *Env, args CompactArgs, o *IO) (int, error) {
	answer := compacted{Before: env.DB.Stats().FileSize}
	if err := env.DB.Compact(ctx, func(done, total int64) { o.Progress(done, total, "bytes") }); err != nil {
		return ExitFailed, err
	}
	answer.After = env.DB.Stats().FileSize
	if args.JSON {
		return ExitOK, json.NewEncoder(o.Out).Encode(answer)
	}
	_, err := fmt.Fprintf(o.Out, "%s: %s before, %s after\n", StoreName, Size(answer.Before), Size(answer.After))
	return ExitOK, err
}

// Size spells a number of bytes for people: "812 B", "1.5 MB".
func Size(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	n, unit := bytes, 0
	for n >= 1_000_000 && unit < 3 {
		n, unit = n/1000, unit+1
	}
	return fmt.Sprintf("%d.%d %s", n/1000, n%1000/100, [...]string{"kB", "MB", "GB", "TB"}[unit])
}
