package trajectory

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Estimate is a mean with its standard error.
type Estimate struct {
	Value float64 `json:"value"`
	Error float64 `json:"error"`
}

// Z returns how many standard errors lie between the estimate and want.
func (e Estimate) Z(want float64) float64 { return (e.Value - want) / e.Error }

// blockMeans returns the means of consecutive blocks of block values; a rest is left out.
func blockMeans(v []float64, block int) []float64 {
	means := make([]float64, len(v)/block)
	for m := range means {
		means[m] = stat.Mean(v[m*block:(m+1)*block], nil)
	}
	return means
}

// blockEstimate returns the mean of v with the standard error from the means of blocks.
func blockEstimate(v []float64, block int) Estimate {
	means := blockMeans(v, block)
	return Estimate{stat.Mean(v, nil), stat.StdErr(stat.StdDev(means, nil), float64(len(means)))}
}

// least is the smallest number of blocks: below it neither a spread nor a sign test says
// much. statements.md §P.5.
const least = 40

// checkBlocks returns an error unless n values give enough blocks, and panics unless block is positive.
func checkBlocks(n, block int) error {
	if block < 1 {
		panic(fmt.Sprintf("trajectory: block length must be positive: got %d", block))
	}
	if n/block < least {
		return fmt.Errorf("trajectory: %d values make %d blocks of %d, at least %d are needed: record a longer run, or take shorter blocks if the correlation time allows", n, n/block, block, least)
	}
	return nil
}

// areas returns ½(uₖvₖ₊₁ − vₖuₖ₊₁) for k = 0…n−2, about the means of u and v.
func areas(u, v []float64) []float64 {
	mu, mv := stat.Mean(u, nil), stat.Mean(v, nil)
	a := make([]float64, len(u)-1)
	for k := range a {
		a[k] = ((u[k]-mu)*(v[k+1]-mv) - (v[k]-mv)*(u[k+1]-mu)) / 2
	}
	return a
}

// chordAreas returns the area between the path (u, v) and its chord in every whole block.
func chordAreas(u, v []float64, block int) []float64 {
	a := make([]float64, (len(u)-1)/block)
	for m := range a {
		first := m * block
		for k := first; k < first+block; k++ {
			a[m] += ((u[k]-u[first])*(v[k+1]-v[first]) - (v[k]-v[first])*(u[k+1]-u[first])) / 2
		}
	}
	return a
}

func checkPair(u, v []float64) error {
	if len(u) != len(v) {
		panic(fmt.Sprintf("trajectory: dimension mismatch: u has %d values, v has %d", len(u), len(v)))
	}
	if err := varying("the first series", u, 2); err != nil {
		return err
	}
	return varying("the second series", v, 2)
}

// AreaRate returns the mean area that (u, v) sweeps per snapshot about its mean,
// ½⟨uₖvₖ₊₁ − vₖuₖ₊₁⟩, positive if it turns from u towards v, with the standard error from
// the means of blocks of the given length. Blocks should be several correlation times
// long: [CorrelationTime]. It is ½(C(1)ᵀ−C(1)) of the pair, zero for a reversible process.
//
// It returns an error if there are fewer than 40 blocks, or a series is constant or not finite,
// and panics if the lengths differ or block < 1.
func AreaRate(u, v []float64, block int) (Estimate, error) {
	if err := checkPair(u, v); err != nil {
		return Estimate{}, err
	}
	a := areas(u, v)
	if err := checkBlocks(len(a), block); err != nil {
		return Estimate{}, err
	}
	return blockEstimate(a, block), nil
}

// AreaAlong returns the mean of Σ B_ij·½(xᵢ(k)xⱼ(k+1) − xⱼ(k)xᵢ(k+1)) over i < j, the areas of
// all pairs of the series weighted by the entries of b above the diagonal (k×k), with its
// standard error and the p-value of zero from the areas about the chords of the blocks, see
// [SignFlip]. Where b holds the areas that are expected, it looks for these and nothing else,
// and finds them where none of the pairs alone stands out.
//
// It returns an error where [AreaRate] does, and panics where that does and if b is not k×k.
func AreaAlong(series [][]float64, b mat.Matrix, block int) (Estimate, float64, error) {
	checkSeries(series)
	k := len(series)
	if r, c := b.Dims(); r != k || c != k {
		panic(fmt.Sprintf("trajectory: dimension mismatch: weights are %d×%d for %d series", r, c, k))
	}
	n := len(series[0]) - 1
	if err := checkBlocks(n, block); err != nil {
		return Estimate{}, 0, err
	}
	all, chords := make([]float64, n), make([]float64, n/block)
	for j := range k {
		for i := range j {
			if err := checkPair(series[i], series[j]); err != nil {
				return Estimate{}, 0, err
			}
			floats.AddScaled(all, b.At(i, j), areas(series[i], series[j]))
			floats.AddScaled(chords, b.At(i, j), chordAreas(series[i], series[j], block))
		}
	}
	e := blockEstimate(all, block)
	mean, sd := stat.MeanStdDev(chords, nil)
	return e, studentP(mean/stat.StdErr(sd, float64(len(chords))), float64(len(chords)-1)), nil
}

// LagCovariance returns C(τ)ᵢⱼ = ⟨xᵢ(k+τ) xⱼ(k)⟩ of the k series about their means (k×k),
// divided by the number of terms n−τ. Its antisymmetric part is zero for a reversible process.
// It panics if the series differ in length or the lag is outside 0…n−1.
func LagCovariance(series [][]float64, lag int) *mat.Dense {
	checkSeries(series)
	n := len(series[0])
	checkLags([]int{lag}, n)
	mean := make([]float64, len(series))
	for i, s := range series {
		mean[i] = stat.Mean(s, nil)
	}
	c := mat.NewDense(len(series), len(series), nil)
	for i, x := range series {
		for j, y := range series {
			var sum float64
			for k, later := range x[lag:] {
				sum += (later - mean[i]) * (y[k] - mean[j])
			}
			c.Set(i, j, sum/float64(n-lag))
		}
	}
	return c
}

// Test is the outcome of a sign-flip test on one pair of series.
type Test struct {
	I      int      `json:"i"` // the pair
	J      int      `json:"j"`
	Area   Estimate `json:"area"` // per snapshot, as [AreaRate] has it
	Blocks int      `json:"blocks"`
	P      float64  `json:"p"`
}

// SignFlip tests whether the pair of series (u, v), both of length n, is the same backwards in
// time. Cut the series in blocks and take the area between the path of each and its chord, the
// straight line from its beginning to its end: it changes sign if time runs backwards, so that
// under reversibility it is as likely positive as negative. p is the rank of the size of the
// total among those with random signs. statements.md §6.4, P.5.
//
//	u, v := trajectory.White(4000, rand.NewPCG(9, 0)), trajectory.White(4000, rand.NewPCG(9, 1))
//	t, err := trajectory.SignFlip(u, v, 200, 999, rand.NewPCG(12, 0))
//
// A small p says that probability circulates, not that anything is periodic: linear theory
// has circulation, and momentum alone makes x irreversible ([LinearChain] knows by how
// much). Blocks shorter than the memory make the test weaker, not wrong.
//
// NOTE: P.5 takes areas about the mean of the series. They need blocks of five correlation times
// or more: at a nominal 5 % pairs of random walks were rejected in 10 % of 2000 runs, and a
// random walk beside white noise never. Areas about the chord need no mean, and were rejected
// in 4 to 6 % for AR(1) of any memory, random walks, and a slow drift; the price is a
// power of 76 % where P.5 has 80 %.
//
// It returns an error where [AreaRate] does, and panics where it does and if flips < 1 or src
// is nil.
func SignFlip(u, v []float64, block, flips int, src rand.Source) (Test, error) {
	r, err := Rotation([][]float64{u, v}, block, flips, src)
	if err != nil {
		return Test{}, err
	}
	return r.Pairs[0], nil
}

// RotationTest is the outcome of sign-flip tests on all pairs of several series.
type RotationTest struct {
	Block int     `json:"block"` // length of a block, snapshots
	Flips int     `json:"flips"` // R, random sign vectors
	Pairs []Test  `json:"pairs"` // i < j
	P     float64 `json:"p"`     // of all pairs together: Σ over pairs of (Σa)²/Σa²
}

// Rotation makes the test of [SignFlip] for all pairs of the rows of series (k×n), with the same
// random signs for all of them, and one test for all pairs together, whose p-value needs no
// correction for their number. The p-values of single pairs do: [Bonferroni],
// [BenjaminiHochberg].
//
// It returns an error where [AreaRate] does, and panics where it does, for fewer than two
// series, if flips < 1 or src is nil.
func Rotation(series [][]float64, block, flips int, src rand.Source) (*RotationTest, error) {
	checkSeries(series)
	if len(series) < 2 || flips < 1 || src == nil {
		panic(fmt.Sprintf("trajectory: rotation of %d series with %d flips, source %v: want two series, a positive number and a source", len(series), flips, src))
	}
	n := len(series[0]) - 1
	if err := checkBlocks(n, block); err != nil {
		return nil, err
	}
	out := &RotationTest{Block: block, Flips: flips}
	var blocks [][]float64 // areas about the chords, of every pair
	for i := range series {
		for j := range i {
			if err := checkPair(series[j], series[i]); err != nil {
				return nil, err
			}
			rate := blockEstimate(areas(series[j], series[i]), block)
			out.Pairs = append(out.Pairs, Test{I: j, J: i, Area: rate, Blocks: n / block})
			blocks = append(blocks, chordAreas(series[j], series[i], block))
		}
	}
	// statistics returns (Σ s·a)²/Σa² of every pair in dst, and their sum.
	statistics := func(dst []float64, sign func(m int) float64) (sum float64) {
		for p, a := range blocks {
			var total, squares float64
			for m, v := range a {
				total += sign(m) * v
				squares += v * v
			}
			dst[p] = total * total / squares
			sum += dst[p]
		}
		return sum
	}
	observed, flipped := make([]float64, len(blocks)), make([]float64, len(blocks))
	together := statistics(observed, func(int) float64 { return 1 })
	exceed, exceedAll := make([]int, len(blocks)), 0
	r := rand.New(src)
	signs := make([]float64, n/block)
	// Sums that are equal but for the order of rounding count as equal.
	const slack = 1 - 1e-12
	for range flips {
		for m := range signs {
			signs[m] = float64(2*int(r.Uint64()&1) - 1)
		}
		if statistics(flipped, func(m int) float64 { return signs[m] }) >= together*slack {
			exceedAll++
		}
		for p := range flipped {
			if flipped[p] >= observed[p]*slack {
				exceed[p]++
			}
		}
	}
	for p := range out.Pairs {
		out.Pairs[p].P = float64(1+exceed[p]) / float64(1+flips)
	}
	out.P = float64(1+exceedAll) / float64(1+flips)
	return out, nil
}
