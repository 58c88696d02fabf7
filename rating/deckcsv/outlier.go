package deckcsv

import (
	"fmt"
	"math/bits"

	"billd/rating"
)

// farFactor is how far above the median a price must be to be doubted: a lost decimal point moves
// a price by 10³ and more, while satellites seldom cost a thousand times the middle of a list.
const farFactor = 1000

// minPrices is how many prices above 0 a list must have before its median means something.
const minPrices = 10

// prices counts the prices of a file in buckets of a 32nd of a power of two, so that memory does not
// grow with the file. Each bucket knows its ends exactly.
type prices struct {
	buckets [64 * 32]struct {
		count    int
		low, top int64
	}
	count int
}

func (p *prices) add(v rating.Price) {
	if v <= 0 {
		return
	}
	n := bits.Len64(uint64(v))
	fine := uint64(v)
	if n > 6 {
		fine >>= n - 6
	}
	b := &p.buckets[(n-1)*32+int(fine&31)]
	if b.count == 0 || int64(v) < b.low {
		b.low = int64(v)
	}
	b.top = max(b.top, int64(v))
	b.count++
	p.count++
}

// warning returns what to say of prices far above the median, "" where there are none.
func (p *prices) warning() string {
	if p.count < minPrices {
		return ""
	}
	var median, below, lowest int64
	before, far := 0, 0
	for i := range p.buckets {
		b := &p.buckets[i]
		if b.count == 0 {
			continue
		}
		if before < (p.count+1)/2 && before+b.count >= (p.count+1)/2 {
			median = b.low + (b.top-b.low)/2
		}
		before += b.count
		if median == 0 || b.low/farFactor < median {
			below = b.top
			continue
		}
		if far == 0 {
			lowest = b.low
		}
		far += b.count
	}
	if far == 0 {
		return ""
	}
	return fmt.Sprintf("prices of at least %d times the median of about %s: %d; the lowest of them is %s, the highest of the others %s; a decimal point may be lost",
		farFactor, rating.Price(median).Round(3), far, rating.Price(lowest), rating.Price(below))
}
