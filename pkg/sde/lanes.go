package sde

import "sgdlab/pkg/problem"

type lanes = [problem.Lanes]float64

const (
	ahead     = 32 // steps for which normal variates are drawn at once
	laneWorth = 3  // walkers from which on vectors are faster
)

// laneState is what runLanes works with: lane i belongs to the walker active[i].
type laneState struct {
	at     [2]problem.Batch // before and after a step, in turns
	normal [ahead][2]lanes
}

// runLanes is runPlane with vectors, one lane a walker. Lanes without a walker follow the
// first one.
func (g *group) runLanes(steps int, record bool) {
	now, next := &g.lanes.at[0], &g.lanes.at[1]
	for i, w := range g.active {
		now.X1[i], now.X2[i] = w.x[0], w.x[1]
	}
	made := g.active[0].step // the same for all
	for steps > 0 && len(g.active) > 0 {
		n := min(ahead, steps)
		steps -= n
		z := g.lanes.normal[:n]
		for i, w := range g.active {
			w.src.fill(z, i)
		}
		for i := len(g.active); i < problem.Lanes; i++ {
			now.X1[i], now.X2[i] = now.X1[0], now.X2[0]
			for t := range z {
				z[t][0][i], z[t][1][i] = z[t][0][0], z[t][1][0]
			}
		}
		for t := range z {
			g.eq.plane.Batch(now)
			if bad := g.stepLanes(next, now, &z[t]) & (1<<len(g.active) - 1); bad != 0 {
				g.stepRest(bad, next, now, z[t:], made)
				if len(g.active) == 0 {
					break
				}
			}
			made++
			if record || t == n-1 {
				clearUpper()
				for i, w := range g.active {
					w.x[0], w.x[1], w.next[0], w.next[1] = now.X1[i], now.X2[i], next.X1[i], next.X2[i]
					w.step = made
					g.advance(w, record)
				}
			}
			now, next = next, now
		}
	}
}

// stepRest makes the step of the lanes in bad as runPlane does, the first of z, and takes
// away the walkers that end.
func (g *group) stepRest(bad uint, next, now *problem.Batch, z [][2]lanes, made int) {
	clearUpper()
	for i := 0; i < len(g.active); i++ {
		if bad>>i&1 == 0 {
			continue
		}
		w := g.active[i]
		w.x[0], w.x[1], w.step = now.X1[i], now.X2[i], made
		if g.stepPlane(w, z[0][0][i], z[0][1][i]) {
			next.X1[i], next.X2[i] = w.next[0], w.next[1]
			continue
		}
		g.remove(i)
		shift := func(a *lanes) { copy(a[i:], a[i+1:]) }
		shift(&now.X1)
		shift(&now.X2)
		shift(&next.X1)
		shift(&next.X2)
		for t := range z {
			shift(&z[t][0])
			shift(&z[t][1])
		}
		low := uint(1)<<i - 1
		bad = bad&low | bad>>1&^low
		i--
	}
}
