package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Layer is one layer of an [Architecture]: [Dense], [Conv2D], [BatchNorm], [ReLU],
// [Tanh], [MaxPool], [AvgPool], [Dropout] or [Flatten].
type Layer interface {
	// String names the layer, as in "dense 64".
	String() string
	// plan returns the layer applied to activations of shape in, or why it cannot be.
	plan(in shape) (planned, error)
}

// Dense is a fully connected layer, z = Wa + b with W out×in. Its input must be flat.
type Dense struct {
	Out int // number of outputs
}

// Conv2D is a convolution (cross-correlation) with bias; its weight is Out×C×Kernel×Kernel.
type Conv2D struct {
	Out    int // output channels
	Kernel int // side of the square kernel
	Stride int // 0 means 1
	Pad    int // zeros added on every side
}

// BatchNorm is batch normalisation per channel, or per feature of a flat input, with
// a trained scale and shift. [ioffe2015]
type BatchNorm struct{}

// ReLU is max(z, 0), with slope 0 at 0.
type ReLU struct{}

// Tanh is the hyperbolic tangent.
type Tanh struct{}

// MaxPool takes the largest value of each Size×Size window, without overlap. The side
// of its input must be a multiple of Size.
type MaxPool struct{ Size int }

// AvgPool takes the mean of each Size×Size window, without overlap. The side of its
// input must be a multiple of Size.
type AvgPool struct{ Size int }

// Dropout sets each activation to zero with probability P in training and divides the
// others by 1−P. In evaluation mode it does nothing.
type Dropout struct{ P float64 }

// Flatten makes channels × height × width one flat axis.
type Flatten struct{}

// String returns "dense" and the number of outputs.
func (l Dense) String() string { return fmt.Sprintf("dense %d", l.Out) }

// String returns "conv" with the size of the kernel and the number of output channels.
func (l Conv2D) String() string { return fmt.Sprintf("conv %d×%d to %d", l.Kernel, l.Kernel, l.Out) }

// String returns "batch norm".
func (BatchNorm) String() string { return "batch norm" }

// String returns "ReLU".
func (ReLU) String() string { return "ReLU" }

// String returns "tanh".
func (Tanh) String() string { return "tanh" }

// String returns "max pool" and the size of the window.
func (l MaxPool) String() string { return fmt.Sprintf("max pool %d", l.Size) }

// String returns "average pool" and the size of the window.
func (l AvgPool) String() string { return fmt.Sprintf("average pool %d", l.Size) }

// String returns "dropout" and the probability.
func (l Dropout) String() string { return fmt.Sprintf("dropout %g", l.P) }

// String returns "flatten".
func (Flatten) String() string { return "flatten" }

// Architecture is a network as a value: the shape of its input and its layers. The
// last layer must leave one number per class.
//
//	a := network.Architecture{Name: "linear", Channels: 1, Height: 7, Width: 7, Layers: []network.Layer{network.Flatten{}, network.Dense{Out: 10}}}
type Architecture struct {
	Name                    string
	Channels, Height, Width int // of the input; Height×Width×Channels features
	Layers                  []Layer
}

// shape is that of the activations of one sample. A flat one has h = w = 0 and its
// features as channels.
type shape struct{ c, h, w int }

func (s shape) flat() bool { return s.h == 0 }

// positions is the number of places where a channel has a value.
func (s shape) positions() int {
	if s.flat() {
		return 1
	}
	return s.h * s.w
}

func (s shape) size() int { return s.c * s.positions() }

func (s shape) String() string {
	if s.flat() {
		return fmt.Sprint(s.c)
	}
	return fmt.Sprintf("%d×%d×%d", s.c, s.h, s.w)
}

// planned is a layer with its shapes and its place in the vectors of weights and statistics.
type planned struct {
	Layer
	in, out shape
	dims    [][]int // of its parameters, in the order of the weight vector
	names   []string
	fanIn   int // of a layer with a weight and a bias
	offset  int // of its parameters in x
	stats   int // number of batch-norm statistics
	at      int // offset of its statistics
}

func (p planned) parameters() int {
	n := 0
	for _, d := range p.dims {
		n += product(d)
	}
	return n
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// plan lays out the layers of a. The error names the faulty layer by position and kind.
func (a Architecture) plan() ([]planned, error) {
	if a.Channels < 1 || a.Height < 1 || a.Width < 1 {
		return nil, fmt.Errorf("network: %s: the input is %d×%d×%d; every side must be positive", a.Name, a.Channels, a.Height, a.Width)
	}
	s := shape{a.Channels, a.Height, a.Width}
	var plan []planned
	offset, at := 0, 0
	for i, l := range a.Layers {
		if l == nil {
			return nil, fmt.Errorf("network: %s: layer %d is nil", a.Name, i+1)
		}
		p, err := l.plan(s)
		if err != nil {
			return nil, fmt.Errorf("network: %s: layer %d (%s): %w", a.Name, i+1, l, err)
		}
		p.Layer, p.in, p.offset, p.at = l, s, offset, at
		offset += p.parameters()
		at += p.stats
		s = p.out
		plan = append(plan, p)
	}
	if !s.flat() {
		return nil, fmt.Errorf("network: %s: the last layer leaves %s; end with Flatten or Dense so that one number per class remains", a.Name, s)
	}
	if offset == 0 {
		return nil, fmt.Errorf("network: %s: no layer has weights", a.Name)
	}
	return plan, nil
}

// mustPlan is plan for an architecture that is known to be valid.
func (a Architecture) mustPlan() []planned {
	p, err := a.plan()
	if err != nil {
		panic(err)
	}
	return p
}

// Validate returns an error that names the first layer that does not fit its input.
func (a Architecture) Validate() error {
	_, err := a.plan()
	return err
}

// Dim returns d, the number of weights: biases and batch-norm scales and shifts are
// counted, batch-norm statistics are not. It panics if a is not valid.
func (a Architecture) Dim() int {
	p := a.mustPlan()
	last := p[len(p)-1]
	return last.offset + last.parameters()
}

// StatsDim returns the number of batch-norm statistics, two per normalised channel.
// It panics if a is not valid.
func (a Architecture) StatsDim() int {
	p := a.mustPlan()
	last := p[len(p)-1]
	return last.at + last.stats
}

// Classes returns the number of outputs. It panics if a is not valid.
func (a Architecture) Classes() int {
	p := a.mustPlan()
	return p[len(p)-1].out.c
}

// String describes a, as in "small-fc: 1×7×7 → flatten → dense 64 → … (3978 weights)".
func (a Architecture) String() string {
	parts := []string{shape{a.Channels, a.Height, a.Width}.String()}
	for _, l := range a.Layers {
		parts = append(parts, l.String())
	}
	s := a.Name + ": " + strings.Join(parts, " → ")
	if a.Validate() != nil {
		return s + " (not valid)"
	}
	return fmt.Sprintf("%s (%d weights)", s, a.Dim())
}

// View names a part of the weight vector.
type View struct {
	Name   string // as in "2 dense 64 weight": layer number from 1, layer, part
	Offset int    // of its first number in x
	Dims   []int  // row-major
}

// Size returns the number of weights in v.
func (v View) Size() int { return product(v.Dims) }

// Of returns the part of x (d) that v names, of length v.Size(); it shares memory with x. It
// panics if x is too short.
func (v View) Of(x []float64) []float64 { return x[v.Offset : v.Offset+v.Size()] }

// Views returns the parts of the weight vector in order; together they cover it. It
// panics if a is not valid.
func (a Architecture) Views() []View {
	var views []View
	for i, p := range a.mustPlan() {
		offset := p.offset
		for j, dims := range p.dims {
			views = append(views, View{Name: fmt.Sprintf("%d %s %s", i+1, p.Layer, p.names[j]), Offset: offset, Dims: dims})
			offset += product(dims)
		}
	}
	return views
}

// Init returns weights x (d) and batch-norm statistics (StatsDim) as PyTorch would
// draw them: weights and biases uniform in ±1/√fan-in, scales 1, shifts 0, running
// means 0, running variances 1. All randomness comes from src, weight after weight
// in the order of x. It panics if a is not valid or src is nil.
func (a Architecture) Init(src rand.Source) (x, stats []float64) {
	if src == nil {
		panic("network: Init needs a source of randomness, got nil")
	}
	r := rand.New(src)
	x = make([]float64, a.Dim())
	stats = make([]float64, a.StatsDim())
	for _, p := range a.mustPlan() {
		w := x[p.offset : p.offset+p.parameters()]
		switch p.Layer.(type) {
		case BatchNorm:
			for i := range p.out.c {
				w[i] = 1
				stats[p.at+p.out.c+i] = 1
			}
		default:
			bound := 1 / math.Sqrt(float64(p.fanIn))
			for i := range w {
				w[i] = bound * (2*r.Float64() - 1)
			}
		}
	}
	return x, stats
}

func (l Dense) plan(in shape) (planned, error) {
	if l.Out < 1 {
		return planned{}, fmt.Errorf("it has %d outputs; at least 1 is needed", l.Out)
	}
	if !in.flat() {
		return planned{}, fmt.Errorf("its input is %s; put Flatten before it", in)
	}
	return planned{
		out: shape{c: l.Out}, fanIn: in.c,
		dims: [][]int{{l.Out, in.c}, {l.Out}}, names: []string{"weight", "bias"},
	}, nil
}

func (l Conv2D) stride() int { return max(l.Stride, 1) }

func (l Conv2D) plan(in shape) (planned, error) {
	switch {
	case l.Out < 1 || l.Kernel < 1 || l.Stride < 0 || l.Pad < 0:
		return planned{}, fmt.Errorf("outputs %d and kernel %d must be positive, stride %d and pad %d not negative", l.Out, l.Kernel, l.Stride, l.Pad)
	case in.flat():
		return planned{}, fmt.Errorf("its input is flat; a convolution must come before Flatten")
	case in.h+2*l.Pad < l.Kernel || in.w+2*l.Pad < l.Kernel:
		return planned{}, fmt.Errorf("its input is %s, smaller than the kernel; add padding or use a smaller kernel", in)
	}
	side := func(n int) int { return (n+2*l.Pad-l.Kernel)/l.stride() + 1 }
	return planned{
		out: shape{l.Out, side(in.h), side(in.w)}, fanIn: in.c * l.Kernel * l.Kernel,
		dims: [][]int{{l.Out, in.c, l.Kernel, l.Kernel}, {l.Out}}, names: []string{"weight", "bias"},
	}, nil
}

func (BatchNorm) plan(in shape) (planned, error) {
	return planned{out: in, dims: [][]int{{in.c}, {in.c}}, names: []string{"scale", "shift"}, stats: 2 * in.c}, nil
}

func (ReLU) plan(in shape) (planned, error) { return planned{out: in}, nil }
func (Tanh) plan(in shape) (planned, error) { return planned{out: in}, nil }

func (l MaxPool) plan(in shape) (planned, error) { return planPool(l.Size, in) }
func (l AvgPool) plan(in shape) (planned, error) { return planPool(l.Size, in) }

func planPool(size int, in shape) (planned, error) {
	switch {
	case size < 1:
		return planned{}, fmt.Errorf("its window is %d; it must be positive", size)
	case in.flat():
		return planned{}, fmt.Errorf("its input is flat; pooling must come before Flatten")
	case in.h%size != 0 || in.w%size != 0:
		return planned{}, fmt.Errorf("its input is %s, not a multiple of the window %d", in, size)
	}
	return planned{out: shape{in.c, in.h / size, in.w / size}}, nil
}

func (l Dropout) plan(in shape) (planned, error) {
	if !(l.P >= 0 && l.P < 1) {
		return planned{}, fmt.Errorf("its probability is %g; it must be in [0, 1)", l.P)
	}
	return planned{out: in}, nil
}

func (Flatten) plan(in shape) (planned, error) { return planned{out: shape{c: in.size()}}, nil }
