package noise

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
)

// Sampling is the way the b samples of a mini-batch are drawn from the N of the
// data set. The zero value draws with replacement, the scheme of
// [chaudhari2018] eq. (2) and Appendix A.1.
//
//	var s noise.Sampling = noise.WithoutReplacement
//	c := s.CovarianceFactor(128, 60000) // c in var(∇f_b) = c·D
type Sampling int

const (
	// WithReplacement draws b samples independently and uniformly. App. A.1.
	WithReplacement Sampling = iota
	// WithoutReplacement draws a uniform subset of b samples, every batch
	// independently of the others. App. A.2.
	WithoutReplacement
	// Reshuffled draws one permutation per epoch and cuts it into batches of b;
	// the last N mod b samples of the permutation are dropped. It is what training
	// loops do; consecutive batches are not independent.
	Reshuffled
	// IndexWalk is what the authors' published code does instead: every epoch permutes the
	// numbers 0..2²⁰−1 afresh and cuts the first N of them into batches of b; the number e
	// stands for sample e mod N. A sample can come several times in an epoch, or not at
	// all, and the first 2²⁰ mod N samples come a little more often than the others. N is
	// at most 2²⁰.
	IndexWalk
)

// walkLength is the number of entries of the authors' index set.
const walkLength = 1 << 20

// String returns the name of the scheme.
func (s Sampling) String() string {
	switch s {
	case WithReplacement:
		return "with replacement"
	case WithoutReplacement:
		return "without replacement"
	case Reshuffled:
		return "reshuffled"
	case IndexWalk:
		return "index walk"
	}
	return fmt.Sprintf("Sampling(%d)", int(s))
}

// CovarianceFactor returns the factor c in var(∇f_b) = c·D(x) for one batch of b
// out of n samples, exactly:
//
//	with replacement      c = 1/b
//	without replacement   c = (n−b)/(b(n−1))
//	reshuffled            c = (n−b)/(b(n−1)), the marginal of a single batch
//	index walk            c = (M−b)/(b(M−1)), M = 2²⁰, the marginal of a single batch
//
// D is the population covariance (divided by n) of [chaudhari2018] eq. (2).
//
// NOTE: Appendix A.2 of the paper prints another formula, see [PrintedA2To]; the
// factor (1−b/n)/b of Remark 12 belongs to D′ = n/(n−1)·D (erratum E17).
// The batches of a reshuffled epoch are correlated besides, see
// [Sampling.CrossCovarianceFactor] (erratum E18). The D and the mean gradient of an index
// walk are those with every sample weighted by how often it stands in the index set, by
// ⌊M/n⌋ or ⌈M/n⌉.
//
// It panics if n < 1, b < 1, b > n unless with replacement, or n > 2²⁰ in an index walk.
func (s Sampling) CovarianceFactor(b, n int) float64 {
	s.check(b, n)
	switch s {
	case WithReplacement:
		return 1 / float64(b)
	case IndexWalk:
		n = walkLength
	}
	if b == n {
		return 0
	}
	return float64(n-b) / (float64(b) * float64(n-1))
}

// CrossCovarianceFactor returns the factor c in cov(∇f_b, ∇f_b′) = c·D(x) for two
// different batches of one epoch at the same x: −1/(n−1) if reshuffled, whatever
// the batch size, −1/(2²⁰−1) in an index walk, and 0 for the two independent
// schemes. An epoch of n/b reshuffled batches therefore sums to exactly n/b·∇f:
// its variance is zero (erratum E18).
//
// It panics if n < 2.
func (s Sampling) CrossCovarianceFactor(n int) float64 {
	if n < 2 {
		panic(fmt.Sprintf("noise: two batches of an epoch need n ≥ 2 samples: got %d", n))
	}
	switch s.check(1, n); s {
	case Reshuffled:
		return -1 / float64(n-1)
	case IndexWalk:
		return -1. / (walkLength - 1)
	}
	return 0
}

func (s Sampling) valid() bool { return s >= WithReplacement && s <= IndexWalk }

// check panics unless s is a scheme that can draw b of n samples.
func (s Sampling) check(b, n int) {
	if !s.valid() {
		panic(fmt.Sprintf("noise: unknown sampling scheme %d", int(s)))
	}
	if n < 1 || b < 1 {
		panic(fmt.Sprintf("noise: batch size %d of %d samples: both must be positive", b, n))
	}
	if s != WithReplacement && b > n {
		panic(fmt.Sprintf("noise: batch size %d exceeds the %d samples: sample with replacement or lower the batch size", b, n))
	}
	if s == IndexWalk && n > walkLength {
		panic(fmt.Sprintf("noise: an index walk of %d entries does not reach %d samples: use another sampling scheme", walkLength, n))
	}
}

// Sampler draws the sample indices of one mini-batch after the other.
//
// It owns its random source and can be stored and restored bit for bit with
// MarshalBinary and UnmarshalBinary. It is not safe for concurrent use.
type Sampler struct {
	scheme Sampling
	n, b   int
	src    *rand.PCG
	perm   []int    // 0..n−1 between batches; the epoch's permutation if reshuffled
	swaps  []int    // the exchanges of one draw, undone afterwards
	seen   []uint64 // index walk: one bit for every entry, set once it was drawn in the epoch
	epoch  rand.PCG // the source as it was before the epoch's permutation
	next   int      // position in the permutation of the next batch; 0 means a new epoch
}

// NewSampler returns a sampler of batches of b out of n samples that takes its
// randomness from src. The caller must not use src any more.
//
// It panics if src is nil and where [Sampling.CovarianceFactor] does.
//
//	s := noise.NewSampler(noise.WithReplacement, 60000, 128, rand.NewPCG(1, 0))
//	idx := make([]int, 128)
//	s.Next(idx)
func NewSampler(s Sampling, n, b int, src *rand.PCG) *Sampler {
	s.check(b, n)
	if src == nil {
		panic("noise: a sampler needs a random source: got nil")
	}
	sampler := &Sampler{scheme: s, n: n, b: b, src: src}
	switch s {
	case WithoutReplacement, Reshuffled:
		sampler.perm = make([]int, n)
		sampler.swaps = make([]int, b)
		identity(sampler.perm)
	case IndexWalk:
		sampler.seen = make([]uint64, walkLength/64)
	}
	return sampler
}

// BatchSize returns b.
func (s *Sampler) BatchSize() int { return s.b }

// StepsPerEpoch returns the number of whole batches in the data set, ⌊n/b⌋, but at
// least 1.
func (s *Sampler) StepsPerEpoch() int { return max(1, s.n/s.b) }

// String describes the sampler, as in "reshuffled, 128 of 60000".
func (s *Sampler) String() string { return fmt.Sprintf("%v, %d of %d", s.scheme, s.b, s.n) }

// Next stores the b sample indices of the next batch in dst and returns dst. A nil
// dst is allocated. With replacement and in an index walk an index may appear more
// than once, otherwise not. The order within a batch has no meaning. It panics if dst has another
// length than b.
func (s *Sampler) Next(dst []int) []int {
	if dst == nil {
		dst = make([]int, s.b)
	}
	if len(dst) != s.b {
		panic(fmt.Sprintf("noise: dimension mismatch: dst has length %d, want the batch size %d", len(dst), s.b))
	}
	rng := rand.New(s.src)
	switch s.scheme {
	case WithReplacement:
		for i := range dst {
			dst[i] = rng.IntN(s.n)
		}
	case WithoutReplacement:
		// The first b exchanges of a Fisher–Yates shuffle, taken back afterwards:
		// perm is 0..n−1 again, so that src is the whole state.
		for i := range dst {
			j := i + rng.IntN(s.n-i)
			s.perm[i], s.perm[j] = s.perm[j], s.perm[i]
			s.swaps[i] = j
		}
		copy(dst, s.perm)
		for i := s.b - 1; i >= 0; i-- {
			j := s.swaps[i]
			s.perm[i], s.perm[j] = s.perm[j], s.perm[i]
		}
	case Reshuffled:
		if s.next == 0 {
			s.epoch = *s.src
			s.shuffle()
		}
		copy(dst, s.perm[s.next:s.next+s.b])
		s.advance()
	case IndexWalk:
		if s.next == 0 {
			s.epoch = *s.src
			clear(s.seen)
		}
		for i := range dst {
			dst[i] = s.entry() % s.n
		}
		s.advance()
	}
	return dst
}

// advance moves to the next batch of the epoch, or to a new epoch.
func (s *Sampler) advance() {
	if s.next += s.b; s.next+s.b > s.n {
		s.next = 0
	}
}

// entry draws the next entry of the epoch's permutation of the index set: uniformly among
// those not drawn yet. An epoch takes a few per cent of them, so that few are rejected and
// the permutation is never made.
func (s *Sampler) entry() int {
	for {
		e := s.src.Uint64() % walkLength
		if word, bit := &s.seen[e/64], uint64(1)<<(e%64); *word&bit == 0 {
			*word |= bit
			return int(e)
		}
	}
}

// shuffle draws the permutation of an epoch, from 0..n−1 and the state of src alone.
func (s *Sampler) shuffle() {
	identity(s.perm)
	rand.New(s.src).Shuffle(s.n, func(i, j int) { s.perm[i], s.perm[j] = s.perm[j], s.perm[i] })
}

func identity(perm []int) {
	for i := range perm {
		perm[i] = i
	}
}

// samplerVersion heads the stored form of a Sampler.
const samplerVersion = "sgdlab sampler 1"

// MarshalBinary returns the state of s: scheme, n, b, the random source and the
// position in the epoch. Its size does not grow with n, because the permutation is
// drawn again from the source as it was when the epoch began.
func (s *Sampler) MarshalBinary() ([]byte, error) {
	if s.src == nil {
		return nil, errors.New("noise: cannot store a sampler that was never made: use NewSampler")
	}
	src := s.src
	if s.next != 0 {
		src = &s.epoch
	}
	state, err := src.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("noise: storing the random source of a sampler: %w", err)
	}
	data := []byte(samplerVersion)
	for _, v := range []int{int(s.scheme), s.n, s.b, s.next} {
		data = binary.BigEndian.AppendUint64(data, uint64(v))
	}
	return append(data, state...), nil
}

// UnmarshalBinary makes s the sampler that MarshalBinary stored; the next batches
// are the same bit for bit. s is unchanged if it returns an error.
func (s *Sampler) UnmarshalBinary(data []byte) error {
	head := len(samplerVersion)
	if len(data) < head+4*8 || string(data[:head]) != samplerVersion {
		return fmt.Errorf("noise: %d bytes are not the state of a sampler of this version: start the run afresh", len(data))
	}
	var field [4]int
	for i := range field {
		field[i] = int(binary.BigEndian.Uint64(data[head+8*i:]))
	}
	scheme, n, b, next := Sampling(field[0]), field[1], field[2], field[3]
	valid := scheme.valid() && n >= 1 && b >= 1 && (scheme == WithReplacement || b <= n) && (scheme != IndexWalk || n <= walkLength)
	if !valid || next < 0 || next > n-b && next != 0 || next%b != 0 || next != 0 && scheme != Reshuffled && scheme != IndexWalk {
		return errors.New("noise: the stored sampler is damaged: start the run afresh")
	}
	src := new(rand.PCG)
	if err := src.UnmarshalBinary(data[head+4*8:]); err != nil {
		return fmt.Errorf("noise: restoring the random source of a sampler: %w", err)
	}
	restored := NewSampler(scheme, n, b, src)
	if next != 0 {
		restored.epoch = *src
		restored.next = next
		if scheme == Reshuffled {
			restored.shuffle()
		} else {
			for range next {
				restored.entry()
			}
		}
	}
	*s = *restored
	return nil
}
