package sde

import (
	"math"
	"math/rand/v2"
)

// stream is the randomness of one walker: normal variates by the ziggurat of Marsaglia
// and Tsang with 256 layers, from a generator of its own. One number of 64 bits serves
// layer, sign and 52 bits of the variate, which do not overlap.
type stream struct{ src rand.PCG }

func newStream(seed, walker uint64) *stream {
	s := new(stream)
	s.src.Seed(seed, walker)
	return s
}

const (
	zigLayers = 256
	zigEdge   = 3.6541528853610088 // where the tail begins; all layers have equal area then
)

// zigScale, zigInside and zigHeight describe the layers: the width of layer i divided by
// 2⁵², the part of it, in the same units, that lies under the curve for certain, and the
// height of the curve at its right end.
var zigScale, zigInside, zigHeight = ziggurat()

func ziggurat() (scale [zigLayers]float64, inside [zigLayers]uint64, height [zigLayers + 1]float64) {
	curve := func(x float64) float64 { return math.Exp(-x * x / 2) }
	area := zigEdge*curve(zigEdge) + math.Sqrt(math.Pi/2)*math.Erfc(zigEdge/math.Sqrt2)
	var width [zigLayers + 1]float64
	width[0], width[1] = area/curve(zigEdge), zigEdge
	for i := 2; i < zigLayers; i++ {
		width[i] = math.Sqrt(-2 * math.Log(area/width[i-1]+curve(width[i-1])))
	}
	for i := range zigLayers {
		scale[i] = width[i] / (1 << 52)
		inside[i] = uint64(width[i+1] / width[i] * (1 << 52))
		height[i] = curve(width[i])
	}
	height[zigLayers] = 1
	return scale, inside, height
}

// normal returns a standard normal variate.
func (s *stream) normal() float64 {
	u := s.src.Uint64()
	layer, bits := u%zigLayers, u>>12
	x := float64(int64(bits)) * zigScale[layer]
	if bits >= zigInside[layer] {
		x = s.outside(layer, x)
	}
	return math.Float64frombits(math.Float64bits(x) | u>>8<<63)
}

// fill draws the two variates of as many steps as z has for one lane.
func (s *stream) fill(z [][2]lanes, lane int) {
	for t := range z {
		z[t][0][lane] = s.normal()
		z[t][1][lane] = s.normal()
	}
}

// outside decides the one case in a hundred where x may lie above the curve, and
// returns the size of a variate.
//
//go:noinline
func (s *stream) outside(layer uint64, x float64) float64 {
	for {
		if layer == 0 { // the tail
			for {
				a, b := -math.Log(s.uniform())/zigEdge, -math.Log(s.uniform())
				if 2*b > a*a {
					return zigEdge + a
				}
			}
		}
		lower, upper := zigHeight[layer], zigHeight[layer+1]
		if lower+(upper-lower)*s.uniform() < math.Exp(-x*x/2) {
			return x
		}
		u := s.src.Uint64()
		bits := u >> 12
		layer = u % zigLayers
		x = float64(int64(bits)) * zigScale[layer]
		if bits < zigInside[layer] {
			return x
		}
	}
}

// uniform returns a number in (0, 1].
func (s *stream) uniform() float64 { return float64(s.src.Uint64()>>11+1) / (1 << 53) }
