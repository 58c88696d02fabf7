package ui

import (
	"math/bits"

	"billd/rating"
)

// Sizes of a chart in its own units; the page stretches it to whatever room there is.
const (
	chartDays   = 30
	chartHeight = 100
	barStep     = 10 // from one bar to the next
	barWidth    = 7
)

// chart is bars a day, drawn by the server: a whole, and in front of it a part.
type chart struct {
	Title       string
	Whole, Part string // what the two bars are called
	Top         string // what a bar of full height stands for
	Bars        []bar
	Width       int
	First, Last rating.Day
}

// bar is one day of a chart.
type bar struct {
	X, Y, H      int // of the whole
	PartY, PartH int
	Day          rating.Day
	Whole, Part  string
}

// point is a day's figures on their way into a chart; below zero counts as zero.
type point struct {
	whole, part         int64
	wholeText, partText string
}

// newChart draws points, one for each day from first on.
func newChart(g drawing, first rating.Day, points []point) chart {
	c := chart{Title: g.title, Whole: g.whole, Part: g.part, Width: len(points)*barStep - (barStep - barWidth),
		First: first, Last: first + rating.Day(len(points)) - 1}
	top := int64(0)
	for _, p := range points {
		top = max(top, p.whole, p.part)
	}
	c.Top = g.text(top)
	for i, p := range points {
		h, part := height(p.whole, top), height(p.part, top)
		c.Bars = append(c.Bars, bar{X: i * barStep, Y: chartHeight - h, H: h, PartY: chartHeight - part, PartH: part,
			Day: first + rating.Day(i), Whole: p.wholeText, Part: p.partText})
	}
	return c
}

// BarWidth is how wide a bar is in the chart's units.
func (c chart) BarWidth() int { return barWidth }

// Height is how high a chart is in its own units.
func (c chart) Height() int { return chartHeight }

// height is n of top in chart units, at least one for what is there at all. n is at most top.
func height(n, top int64) int {
	if n <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(n), chartHeight)
	h, _ := bits.Div64(hi, lo, uint64(top))
	return max(int(h), 1)
}
