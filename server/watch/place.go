package watch

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"billd/server/ops"
)

// What becomes of a file that is taken in; anything else is the directory that it is moved to.
const (
	Delete = "delete"
	Keep   = "keep" // it stays, and is read again after the next start
)

// DefaultEvery is how often a directory is looked at, and how long a file must stand still.
const DefaultEvery = 5 * time.Second

// minEvery keeps a directory from being looked at without a pause.
const minEvery = 10 * time.Millisecond

// Place is what is watched and how its files are written.
type Place struct {
	Path  string        // a directory; with Tail a file
	Tail  bool          // the file grows, and is rotated
	Every time.Duration // 0 is DefaultEvery
	Done  string        // Delete, Keep or a directory; "" is done in the directory itself
	Files ops.ImportCDRsArgs
}

// Parse reads a place as a setting says it: DIR, or DIR?format=asterisk-csv&zone=Europe/Berlin. The names are
// the flags of `billd watch`; a percent sign escapes what stands in the way.
func Parse(s string) (Place, error) {
	path, query, _ := strings.Cut(s, "?")
	p := Place{Path: path}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if err == nil {
			err = p.set(name, value)
		}
		if err != nil {
			return p, fmt.Errorf("watch %s: %w", path, err)
		}
	}
	return p, p.Check()
}

func (p *Place) set(name, value string) (err error) {
	f := &p.Files
	switch name {
	case "":
	case "format":
		f.Format = value
	case "source":
		f.Source = value
	case "zone":
		f.Zone = value
	case "dates":
		f.Dates = value
	case "legs":
		f.Legs = value
	case "columns":
		f.Columns = strings.Split(value, ",")
	case "map":
		f.Map = map[string]string{}
		for pair := range strings.SplitSeq(value, ",") {
			column, to, ok := strings.Cut(pair, "=")
			if !ok {
				return fmt.Errorf("map %.40q: want column=billd's column", pair)
			}
			f.Map[column] = to
		}
	case "done":
		p.Done = value
	case "every":
		if p.Every, err = time.ParseDuration(value); err != nil {
			return fmt.Errorf("every %.40q: want a duration such as 5s", value)
		}
	case "tail":
		if p.Tail = value == "true" || value == ""; !p.Tail && value != "false" {
			return fmt.Errorf("tail %.40q: want true or false", value)
		}
	default:
		return fmt.Errorf("%.40q: want format, source, zone, dates, legs, columns, map, done, every or tail", name)
	}
	return nil
}

// Check says what is wrong with the place, and fills in what was not said.
func (p *Place) Check() (err error) {
	if p.Path == "" {
		return errors.New("watch: want a directory")
	}
	if p.Path, err = filepath.Abs(p.Path); err != nil {
		return err
	}
	if p.Every == 0 {
		p.Every = DefaultEvery
	}
	if p.Every < minEvery {
		return fmt.Errorf("watch %s: every %s: want at least %s", p.Path, p.Every, minEvery)
	}
	if err := p.Files.Check(); err != nil {
		return fmt.Errorf("watch %s: %w", p.Path, err)
	}
	if p.Tail {
		return p.checkTail()
	}
	switch p.Done {
	case Delete, Keep:
	case "":
		p.Done = filepath.Join(p.Path, "done")
	default:
		if p.Done, err = filepath.Abs(p.Done); err != nil {
			return err
		}
		if p.Done == p.Path {
			return fmt.Errorf("watch %s: done files would stay there, want another directory or %s", p.Path, Keep)
		}
	}
	return nil
}
