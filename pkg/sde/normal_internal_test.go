package sde

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestNormalMoments(t *testing.T) {
	const n = 2_000_000
	s := newStream(1, 2)
	var m [7]float64
	var beyond float64 // |z| > 3.7, nearly all from the tail of the ziggurat
	for range n {
		z := s.normal()
		p := 1.
		for k := 1; k <= 6; k++ {
			p *= z
			m[k] += p / n
		}
		if math.Abs(z) > 3.7 {
			beyond++
		}
	}
	// Moments of a normal variate, and the variance of its powers, 𝔼z^2k − (𝔼z^k)². Within
	// 5 standard errors: seven false alarms in a run have a chance of 4e-6.
	double := [13]float64{0: 1, 2: 1, 4: 3, 6: 15, 8: 105, 10: 945, 12: 10395}
	for k := 1; k <= 6; k++ {
		se := math.Sqrt((double[2*k] - double[k]*double[k]) / n)
		if diff := m[k] - double[k]; !(math.Abs(diff) <= 5*se) {
			t.Errorf("𝔼z^%d: got %v, want %v ± %v", k, m[k], double[k], se)
		}
	}
	want := n * math.Erfc(3.7/math.Sqrt2)
	if !(math.Abs(beyond-want) <= 5*math.Sqrt(want)) {
		t.Errorf("|z| > 3.7: got %v, want %v ± %v", beyond, want, math.Sqrt(want))
	}
}

func TestNormalCells(t *testing.T) {
	// χ² over 200 cells of equal probability; its mean is 199 and its deviation √398 = 20.
	// Beyond 199 + 6·20 with a chance of about 1e-7 (a χ² has a longer tail than 6σ).
	const n, cells = 2_000_000, 200
	var edges [cells - 1]float64
	for k := range edges {
		edges[k] = math.Sqrt2 * math.Erfinv(2*float64(k+1)/cells-1)
	}
	var count [cells]float64
	s := newStream(3, 4)
	for range n {
		z := s.normal()
		lo, hi := 0, len(edges)
		for lo < hi {
			if mid := (lo + hi) / 2; edges[mid] <= z {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		count[lo]++
	}
	var chi float64
	for _, c := range count {
		chi += (c - n/cells) * (c - n/cells) / (n / cells)
	}
	if chi > 199+6*20 {
		t.Errorf("χ² of %d cells: got %v, want 199 ± 20", cells, chi)
	}
}

func TestZigguratLayers(t *testing.T) {
	// All layers have the area of the lowest, and the top one closes at the summit.
	area := zigScale[0] * (1 << 52) * zigHeight[1]
	for i := 1; i < zigLayers; i++ {
		// The width of a layer comes from the height of the one below; rounding grows with
		// the 256 steps, and the edge is known to 1e-15 only.
		got := zigScale[i] * (1 << 52) * (zigHeight[i+1] - zigHeight[i])
		if !(math.Abs(got-area) <= 1e-12) {
			t.Errorf("area of layer %d: got %v, want %v", i, got, area)
		}
	}
}

func TestStreamIsThatOfPCG(t *testing.T) {
	want := rand.NewPCG(11, 22)
	s := newStream(11, 22)
	for range 10 {
		if got, want := s.src.Uint64(), want.Uint64(); got != want {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
}
