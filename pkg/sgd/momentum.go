package sgd

import (
	"fmt"
)

// MomentumKind is the way earlier gradients enter a step.
type MomentumKind int

const (
	// None takes x ← x − ηg, the chain of the paper's theory.
	None MomentumKind = iota
	// HeavyBall takes v ← μv + g, x ← x − ηv. As an equation for x alone at constant η it
	// is x_{k+1} = x_k + μ(x_k−x_{k−1}) − ηg(x_k).
	HeavyBall
	// Nesterov takes v ← μv + g, x ← x − η(g + μv), as PyTorch does. The x kept, recorded
	// and returned is the look-ahead point, where the next gradient is taken. The base
	// point y of the textbook form
	//
	//	y_{k+1} = x_k − ηg(x_k),   x_{k+1} = y_{k+1} + μ(y_{k+1}−y_k)
	//
	// is y = x + ημv, see [Step.BaseTo]. Their stationary variances differ: on a quadratic
	// of curvature l they are 0.9365 (x) and 0.9199 (y) times ηD/(2b(1−μ)l) at μ = 0.9,
	// ηl = 0.01 (erratum E34).
	Nesterov
)

var momentumNames = [...]string{None: "none", HeavyBall: "heavy ball", Nesterov: "Nesterov"}

// String returns the name of the kind.
func (k MomentumKind) String() string {
	if k < None || k > Nesterov {
		return fmt.Sprintf("MomentumKind(%d)", int(k))
	}
	return momentumNames[k]
}

// MarshalText returns the name of the kind, so that JSON is readable.
func (k MomentumKind) MarshalText() ([]byte, error) {
	if k < None || k > Nesterov {
		return nil, fmt.Errorf("sgd: unknown momentum kind %d", int(k))
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *MomentumKind) UnmarshalText(text []byte) error {
	for kind, name := range momentumNames {
		if string(text) == name {
			*k = MomentumKind(kind)
			return nil
		}
	}
	return fmt.Errorf("sgd: unknown momentum kind %q: it is one of %q", text, momentumNames)
}

// Momentum is the memory of the chain. The velocity v starts at 0, there is no dampening,
// and η multiplies v, not g: a change of the learning rate acts on the whole velocity at
// once. These are the conventions of torch.optim.SGD. The zero value is no momentum.
type Momentum struct {
	Kind MomentumKind `json:"kind"`
	Mu   float64      `json:"mu"` // μ in [0, 1); 0 if Kind is None
}

// String returns the momentum as in "Nesterov momentum 0.9".
func (m Momentum) String() string {
	if m.Kind == None {
		return "no momentum"
	}
	return fmt.Sprintf("%v momentum %.6g", m.Kind, m.Mu)
}

func (m Momentum) check() error {
	switch {
	case m.Kind < None || m.Kind > Nesterov:
		return fmt.Errorf("sgd: unknown momentum kind %d: choose None, HeavyBall or Nesterov", int(m.Kind))
	case !(m.Mu >= 0 && m.Mu < 1):
		return fmt.Errorf("sgd: momentum %v: it must lie in [0, 1)", m.Mu)
	case m.Kind == None && m.Mu != 0:
		return fmt.Errorf("sgd: momentum %v of no kind: choose HeavyBall or Nesterov", m.Mu)
	}
	return nil
}

// chain is the state of the update: weights and velocity, each with the memory for its
// successor, so that a step that is not finite can be dropped.
type chain struct {
	momentum Momentum
	decay    float64
	x, nextX []float64
	v, nextV []float64 // nil without momentum
}

func newChain(x0 []float64, m Momentum, decay float64) *chain {
	c := &chain{momentum: m, decay: decay, x: append([]float64(nil), x0...), nextX: make([]float64, len(x0))}
	if m.Kind != None {
		c.v, c.nextV = make([]float64, len(x0)), make([]float64, len(x0))
	}
	return c
}

// step moves by the batch gradient g at learning rate eta. It returns false, and leaves
// the chain where it is, if the new weights are not finite.
func (c *chain) step(g []float64, eta float64) bool {
	done, finite := c.stepVectors(g, eta)
	if !c.stepRest(g, eta, done) || !finite {
		return false
	}
	c.x, c.nextX = c.nextX, c.x
	c.v, c.nextV = c.nextV, c.v
	return true
}

// stepRest takes the step of the coordinates from first on, and returns whether they stayed
// finite.
//
// The conversions to float64 forbid fused multiply-adds: the bits are the same on every
// machine.
func (c *chain) stepRest(g []float64, eta float64, first int) (finite bool) {
	mu, decay := c.momentum.Mu, c.decay
	finite = true
	for i := first; i < len(c.x); i++ {
		xi := c.x[i]
		by := g[i] + float64(decay*xi)
		if c.momentum.Kind != None {
			v := by + float64(mu*c.v[i])
			c.nextV[i] = v
			if c.momentum.Kind == Nesterov {
				v = by + float64(mu*v)
			}
			by = v
		}
		xi -= float64(eta * by)
		c.nextX[i] = xi
		if xi-xi != 0 {
			finite = false
		}
	}
	return finite
}
