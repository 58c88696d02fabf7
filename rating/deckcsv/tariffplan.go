package deckcsv

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"billd/rating"
	"billd/rating/xlsx"
)

// PlanFiles are the files of a CGRateS tariff plan that say what numbers cost: which prefixes a destination
// has, which steps a rate has, and which rate a destination has.
var PlanFiles = [3]string{"Destinations.csv", "Rates.csv", "DestinationRates.csv"}

// The places in PlanFiles.
const (
	planDestinations = iota
	planRates
	planDestinationRates
)

// maxPlanFile bounds a file of a tariff plan in bytes.
const maxPlanFile = 64 << 20

// planPart tells a file of a tariff plan by its name, which may begin with anything that ends in a mark:
// tutorial2-Rates.csv. front is that beginning.
func planPart(name string) (front string, part int, ok bool) {
	lower := strings.ToLower(name)
	for _, part := range [...]int{planDestinationRates, planDestinations, planRates} {
		if before, is := strings.CutSuffix(lower, strings.ToLower(PlanFiles[part])); is && (before == "" || strings.ContainsAny(before[len(before)-1:], "-_. /")) {
			return name[:len(before)], part, true
		}
	}
	return "", 0, false
}

// FindTariffPlan finds the files of a tariff plan among the names of a folder or an archive, in the order of
// PlanFiles. near is one of them, which says whose siblings are meant, or "".
//
// ok says that there is any. Fails with Invalid if one of the three is missing, or if they could be several plans'.
func FindTariffPlan(names []string, near string) (files [3]string, ok bool, err error) {
	sets := map[string]*[3]string{}
	for _, name := range names {
		front, part, is := planPart(name)
		if !is {
			continue
		}
		if sets[front] == nil {
			sets[front] = &[3]string{}
		}
		sets[front][part] = name
	}
	if near != "" {
		front, _, is := planPart(near)
		if !is {
			return files, false, nil
		}
		return found(front, sets[front])
	}
	whole := maps.Clone(sets)
	maps.DeleteFunc(whole, func(_ string, s *[3]string) bool { return s[0] == "" || s[1] == "" || s[2] == "" })
	fronts := slices.Sorted(maps.Keys(whole))
	if len(fronts) == 0 {
		fronts = slices.Sorted(maps.Keys(sets))
	}
	switch len(fronts) {
	case 0:
		return files, false, nil
	case 1:
		return found(fronts[0], sets[fronts[0]])
	}
	for i, f := range fronts {
		fronts[i] = f + "*"
	}
	return files, true, rating.Errorf(rating.Invalid, "file", "%s could each be the tariff plan: give one of its files", strings.Join(fronts, " and "))
}

// found says which files of a plan are missing.
func found(front string, set *[3]string) (files [3]string, ok bool, err error) {
	var missing []string
	for i, name := range PlanFiles {
		if set == nil || set[i] == "" {
			missing = append(missing, front+name)
		}
	}
	if len(missing) > 0 {
		return files, true, rating.Errorf(rating.Invalid, "file", "a tariff plan of CGRateS without %s: billd wants %s together", strings.Join(missing, " and "), strings.Join(PlanFiles[:], ", "))
	}
	return *set, true, nil
}

// IsPlanFile says that a file begins as one of a tariff plan does, with its commented header.
func IsPlanFile(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	names, commented := strings.CutPrefix(strings.TrimSpace(string(line)), "#")
	cells := strings.Split(names, ",")
	for i := range cells {
		cells[i] = normal(cells[i])
	}
	has := func(i int, names ...string) bool { return i < len(cells) && slices.Contains(names, cells[i]) }
	return commented && has(0, "id", "tag") &&
		(has(1, "prefix") && len(cells) == 2 || has(2, "rate") && has(3, "rateunit") || has(1, "destinationid", "destinationsid") && has(2, "ratesid", "ratestag", "ratetag"))
}

// PlanFrom returns the three files of a tariff plan that lies in an archive, nil if it holds none.
// Fails as FindTariffPlan does, with Limit if a file is too large, and with Invalid if the archive is broken.
func PlanFrom(r io.ReaderAt, size int64) (*TariffPlan, error) {
	z, err := xlsx.OpenArchive(r, size)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(z.File))
	for i, f := range z.File {
		names[i] = f.Name
	}
	files, ok, err := FindTariffPlan(names, "")
	if err != nil || !ok {
		return nil, err
	}
	p := &TariffPlan{size: size}
	for i, name := range files {
		at := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
		if p.text[i], err = unpacked(z.File[at]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// unpacked reads a file of an archive.
func unpacked(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, rating.Errorf(rating.Invalid, "file", "%s in the archive: %v", path.Base(f.Name), err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPlanFile+1))
	if err != nil {
		return nil, rating.Errorf(rating.Invalid, "file", "%s in the archive: %v", path.Base(f.Name), err)
	}
	if len(text) > maxPlanFile {
		return nil, rating.Errorf(rating.Limit, "file", "%s is larger than %d bytes", path.Base(f.Name), maxPlanFile)
	}
	return text, nil
}

// TariffPlan is the text of a tariff plan's files.
type TariffPlan struct {
	text [3][]byte
	size int64 // of the archive
}

// Reader begins to read the plan's list. Fails with Invalid if a file is no CSV, if o asks for what a
// tariff plan has not, or if it does not say which of several lists is meant.
func (p *TariffPlan) Reader(o Options) (*PlanReader, error) {
	if len(o.Columns) > 0 {
		return nil, rating.Errorf(rating.Invalid, "columns", "the columns of a tariff plan have their places: take --map away")
	}
	r := &PlanReader{prefixes: &Reader{opts: o}, destinations: map[string][]planPrefix{}, rates: map[string]*planRate{}, size: p.size}
	if err := r.prefixes.takeOptions(); err != nil {
		return nil, err
	}
	r.layout = Layout{Form: FormCGRateS, Encoding: "UTF-8", Delimiter: ',', Decimal: DecimalPoint}
	for _, load := range [...]func(*TariffPlan) error{r.loadDestinations, r.loadRates, r.choose} {
		if err := load(p); err != nil {
			return nil, err
		}
	}
	r.records = p.records(planDestinationRates)
	return r, nil
}

// choose settles which list is read.
func (r *PlanReader) choose(p *TariffPlan) error {
	rows, ids := 0, map[string]bool{}
	var order []string
	err := p.records(planDestinationRates).each(func(_ int, cells []string) error {
		if rows++; !ids[cells[0]] {
			ids[cells[0]] = true
			order = append(order, cells[0])
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.layout.Holds = append(r.layout.Holds, fmt.Sprintf("%s: %d rows of %d plans", PlanFiles[planDestinationRates], rows, len(order)))
	wanted := r.prefixes.opts.Plan
	switch {
	case len(order) == 0:
		return rating.Errorf(rating.Invalid, "file", "%s has no rows", PlanFiles[planDestinationRates])
	case wanted == "" && len(order) == 1:
		wanted = order[0]
	case wanted == "":
		return rating.Errorf(rating.Invalid, "plan", "%s has %d plans, each a deck of its own: say which with --plan: %s", PlanFiles[planDestinationRates], len(order), few(order, maxNamedPlans))
	case !ids[wanted]:
		return rating.Errorf(rating.NotFound, "plan", "plan %q is not in %s, which has %s", clip(wanted), PlanFiles[planDestinationRates], few(order, maxNamedPlans))
	}
	r.layout.Plan = wanted
	return nil
}

// maxNamedPlans is how many plans a refusal names.
const maxNamedPlans = 50
