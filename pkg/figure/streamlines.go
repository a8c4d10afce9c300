package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/problem"
)

// streamline is a curve along a vector field, with the length of the field at each point.
type streamline struct {
	points plotter.XYs
	speed  []float64
}

// Geometry of evenly spaced streamlines, in units of the separation.
const (
	streamStep    = 0.1 // of the integration
	streamNear    = 0.5 // a line ends where it comes so near to another one
	streamLoop    = 1.5 // arc length beyond which a line can come near to itself
	streamShort   = 1.0 // shorter lines are left out
	streamPerHead = 6.0 // length of line per arrow head
)

// streamlines returns curves along the field that fill the box evenly, separation apart
// from each other, after [jobard1997]: new lines start beside old ones, at the
// separation, and end at half of it from another line, at the border, and where the
// field vanishes. A line that returns to its start is closed. The same arguments give
// the same lines.
func streamlines(field func(dst, x []float64), box problem.Box, separation float64) []streamline {
	t := tracer{field: field, box: box, separation: separation, at: map[[2]int][]tracePoint{}}
	var lines []streamline
	start := func(x, y float64) {
		if !t.box.Contains([]float64{x, y}) || t.near(x, y, separation*0.999, nil) {
			return
		}
		line := t.trace(x, y)
		if float64(len(line.points)-1)*streamStep < streamShort {
			return
		}
		for i, p := range line.points {
			cell := t.cell(p.X, p.Y)
			t.at[cell] = append(t.at[cell], tracePoint{p.X, p.Y, i})
		}
		lines = append(lines, line)
	}
	next := 0
	beside := func() { // along all lines without neighbours yet
		for ; next < len(lines); next++ {
			line := lines[next]
			for i := 0; i < len(line.points); i += int(0.5 / streamStep) {
				a, b := line.points[max(i-1, 0)], line.points[min(i+1, len(line.points)-1)]
				dx, dy := b.X-a.X, b.Y-a.Y
				if d := math.Hypot(dx, dy); d > 0 {
					dx, dy = dx/d*separation, dy/d*separation
					start(line.points[i].X-dy, line.points[i].Y+dx)
					start(line.points[i].X+dy, line.points[i].Y-dx)
				}
			}
		}
	}
	// From the middle outwards as far as neighbours go, then wherever there is room left.
	w, h := box.XMax-box.XMin, box.YMax-box.YMin
	start(box.XMin+0.5*w, box.YMin+0.62*h)
	beside()
	nx, ny := int(math.Ceil(w/separation)), int(math.Ceil(h/separation))
	for j := range ny {
		for i := range nx {
			start(box.XMin+w*(float64(i)+0.5)/float64(nx), box.YMin+h*(float64(j)+0.5)/float64(ny))
			beside()
		}
	}
	return lines
}

// tracePoint is a point of a line with its position along the line.
type tracePoint struct {
	x, y  float64
	index int
}

type tracer struct {
	field      func(dst, x []float64)
	box        problem.Box
	separation float64
	at         map[[2]int][]tracePoint // finished lines, by cells of the size of the separation
}

func (t *tracer) cell(x, y float64) [2]int {
	return [2]int{int(math.Floor(x / t.separation)), int(math.Floor(y / t.separation))}
}

// near reports whether a point among those of at that skip does not exclude lies closer
// to (x, y) than distance, which is at most the separation.
func near(at map[[2]int][]tracePoint, cell [2]int, x, y, distance float64, skip func(index int) bool) bool {
	for i := cell[0] - 1; i <= cell[0]+1; i++ {
		for j := cell[1] - 1; j <= cell[1]+1; j++ {
			for _, p := range at[[2]int{i, j}] {
				if (p.x-x)*(p.x-x)+(p.y-y)*(p.y-y) < distance*distance && (skip == nil || !skip(p.index)) {
					return true
				}
			}
		}
	}
	return false
}

func (t *tracer) near(x, y, distance float64, skip func(index int) bool) bool {
	return near(t.at, t.cell(x, y), x, y, distance, skip)
}

// direction stores the unit vector along the field in d and returns the speed.
func (t *tracer) direction(d *[2]float64, x, y float64) (speed float64) {
	t.field(d[:], []float64{x, y})
	speed = math.Hypot(d[0], d[1])
	if speed > 0 && !math.IsInf(speed, 1) {
		d[0], d[1] = d[0]/speed, d[1]/speed
	}
	return speed
}

// step goes along the field, or against it with h < 0: one step of the classical
// Runge–Kutta method on the unit field. It returns false where the field vanishes or is
// not finite.
func (t *tracer) step(x, y, h float64) (nx, ny float64, ok bool) {
	var k [4][2]float64
	for i, c := range [4]float64{0, 0.5, 0.5, 1} {
		px, py := x, y
		if i > 0 {
			px, py = x+c*h*k[i-1][0], y+c*h*k[i-1][1]
		}
		if s := t.direction(&k[i], px, py); !(s > 0) || math.IsInf(s, 1) {
			return x, y, false
		}
	}
	dx := (k[0][0] + 2*k[1][0] + 2*k[2][0] + k[3][0]) / 6
	dy := (k[0][1] + 2*k[1][1] + 2*k[2][1] + k[3][1]) / 6
	// Across a sink the four directions cancel.
	if dx*dx+dy*dy < 0.25 {
		return x, y, false
	}
	return x + h*dx, y + h*dy, true
}

// trace returns the line through (x, y).
func (t *tracer) trace(x, y float64) streamline {
	h := t.separation * streamStep
	own := map[[2]int][]tracePoint{}
	limit := int(60 * ((t.box.XMax - t.box.XMin) + (t.box.YMax - t.box.YMin)) / t.separation / streamStep)
	run := func(h float64, sign int) (points plotter.XYs, closed bool) {
		px, py := x, y
		for i := 1; i < limit; i++ {
			nx, ny, ok := t.step(px, py, h)
			if !ok {
				break
			}
			if !t.box.Contains([]float64{nx, ny}) {
				f := t.exit(px, py, nx, ny)
				return append(points, plotter.XY{X: px + f*(nx-px), Y: py + f*(ny-py)}), false
			}
			if float64(i)*streamStep > streamLoop && t.passes(px, py, nx, ny, x, y, h) {
				return append(points, plotter.XY{X: x, Y: y}), true
			}
			// Not near to the line itself are its last points, and its first ones: the
			// way to the start is free, and there it closes, or runs into what follows.
			const last, first = streamLoop / streamStep, streamNear / streamStep
			self := func(k int) bool {
				return abs(float64(sign*i-k)) <= last || k*sign >= 0 && float64(k*sign) <= first
			}
			distance := streamNear * t.separation
			if t.near(nx, ny, distance, nil) || near(own, t.cell(nx, ny), nx, ny, distance, self) {
				break
			}
			points = append(points, plotter.XY{X: nx, Y: ny})
			cell := t.cell(nx, ny)
			own[cell] = append(own[cell], tracePoint{nx, ny, sign * i})
			px, py = nx, ny
		}
		return points, false
	}
	own[t.cell(x, y)] = []tracePoint{{x, y, 0}}
	forward, closed := run(h, 1)
	var line streamline
	if !closed {
		backward, _ := run(-h, -1)
		slices.Reverse(backward)
		line.points = backward
	}
	line.points = append(append(line.points, plotter.XY{X: x, Y: y}), forward...)
	var d [2]float64
	for _, p := range line.points {
		line.speed = append(line.speed, t.direction(&d, p.X, p.Y))
	}
	return line
}

// exit returns the fraction of the way from inside (px, py) to outside (nx, ny) at which
// the border lies.
func (t *tracer) exit(px, py, nx, ny float64) float64 {
	f := 1.0
	if to := min(max(nx, t.box.XMin), t.box.XMax); to != nx {
		f = min(f, (to-px)/(nx-px))
	}
	if to := min(max(ny, t.box.YMin), t.box.YMax); to != ny {
		f = min(f, (to-py)/(ny-py))
	}
	return f
}

// passes reports whether the step h from (px, py) to (nx, ny) leads through (x, y), to a
// hundredth of its length.
func (t *tracer) passes(px, py, nx, ny, x, y, h float64) bool {
	dx, dy := nx-px, ny-py
	f := ((x-px)*dx + (y-py)*dy) / (dx*dx + dy*dy)
	if f < 0 || f > 1.01 {
		return false
	}
	qx, qy, ok := t.step(px, py, f*h)
	return ok && math.Hypot(qx-x, qy-y) < 0.01*math.Abs(h)
}

// flow draws streamlines as ribbons whose width is proportional to the speed, up to
// width at maxSpeed and above, with arrow heads on the way.
type flow struct {
	lines    []streamline
	maxSpeed float64
	width    vg.Length // at maxSpeed
	hair     vg.Length // the least
	color    color.Color
	perHead  float64 // length of line per arrow head, in data units
}

// Plot draws the lines.
func (f flow) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, line := range f.lines {
		pts := make([]vg.Point, len(line.points))
		half := make([]vg.Length, len(pts))
		for i, q := range line.points {
			pts[i] = vg.Point{X: tx(q.X), Y: ty(q.Y)}
			half[i] = f.at(line.speed[i]) / 2
		}
		c.FillPolygon(f.color, ribbon(pts, half))
		for _, i := range headsAt(line.points, f.perHead) {
			arrowHead(c, f.color, pts[i-1], pts[i], 4.2*half[i]+vg.Points(2.6))
		}
	}
}

// at returns the width of a line at the speed.
func (f flow) at(speed float64) vg.Length {
	return max(f.hair, f.width*vg.Length(min(1, speed/f.maxSpeed)))
}

// ribbon returns the outline of a line with the given half widths.
func ribbon(pts []vg.Point, half []vg.Length) []vg.Point {
	n := len(pts)
	outline := make([]vg.Point, 2*n)
	for i := range pts {
		a, b := pts[max(i-1, 0)], pts[min(i+1, n-1)]
		dx, dy := b.X-a.X, b.Y-a.Y
		d := vg.Length(math.Hypot(float64(dx), float64(dy)))
		if d == 0 {
			d = 1
		}
		off := vg.Point{X: -dy / d * half[i], Y: dx / d * half[i]}
		outline[i] = pts[i].Add(off)
		outline[2*n-1-i] = pts[i].Sub(off)
	}
	return outline
}

// headsAt returns the points of a line that carry an arrow head: one for each length
// perHead, at least one, evenly spread.
func headsAt(line plotter.XYs, perHead float64) []int {
	along := make([]float64, len(line))
	for i := 1; i < len(line); i++ {
		along[i] = along[i-1] + math.Hypot(line[i].X-line[i-1].X, line[i].Y-line[i-1].Y)
	}
	total := along[len(along)-1]
	n := max(1, int(math.Round(total/perHead)))
	heads := make([]int, 0, n)
	i := 1
	for k := range n {
		for i < len(line)-1 && along[i] < total*(float64(k)+0.55)/float64(n) {
			i++
		}
		heads = append(heads, i)
	}
	return heads
}

// arrowHead fills a triangle of the given length with its middle at to, in the direction
// from from to to.
func arrowHead(c draw.Canvas, clr color.Color, from, to vg.Point, length vg.Length) {
	dir := math.Atan2(float64(to.Y-from.Y), float64(to.X-from.X))
	at := func(turn float64, r vg.Length) vg.Point {
		return vg.Point{X: to.X + r*vg.Length(math.Cos(dir+turn)), Y: to.Y + r*vg.Length(math.Sin(dir+turn))}
	}
	c.FillPolygon(clr, []vg.Point{at(0, 0.55*length), at(2.5, 0.62*length), at(-2.5, 0.62*length)})
}

// quiver draws arrows at the points of a grid, centred there, with a length and a width
// proportional to the speed, up to pitch and width at maxSpeed and above.
type quiver struct {
	field    func(dst, x []float64)
	box      problem.Box
	across   int // arrows along the shorter side
	maxSpeed float64
	least    float64 // slower ones are left out
	width    vg.Length
	hair     vg.Length
	color    color.Color
}

// Plot draws the arrows.
func (q quiver) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	w, h := q.box.XMax-q.box.XMin, q.box.YMax-q.box.YMin
	pitch := min(w, h) / float64(q.across)
	nx, ny := int(math.Round(w/pitch)), int(math.Round(h/pitch))
	reach := 0.9 * min(tx(q.box.XMin+pitch)-tx(q.box.XMin), ty(q.box.YMin+pitch)-ty(q.box.YMin))
	d := make([]float64, 2)
	for j := range ny {
		for i := range nx {
			x := q.box.XMin + w*(float64(i)+0.5)/float64(nx)
			y := q.box.YMin + h*(float64(j)+0.5)/float64(ny)
			q.field(d, []float64{x, y})
			speed := math.Hypot(d[0], d[1])
			if !(speed > q.least) {
				continue
			}
			part := vg.Length(min(1, speed/q.maxSpeed))
			u := vg.Point{X: vg.Length(d[0] / speed), Y: vg.Length(d[1] / speed)}
			length, width := part*reach, max(q.hair, part*q.width)
			middle := vg.Point{X: tx(x), Y: ty(y)}
			tail, tip := middle.Sub(u.Scale(length/2)), middle.Add(u.Scale(length/2))
			head := min(length, 2.2*width+vg.Points(2.4))
			if back := length - 0.8*head; back > 0 {
				end := tail.Add(u.Scale(back))
				c.StrokeLine2(draw.LineStyle{Color: q.color, Width: width}, tail.X, tail.Y, end.X, end.Y)
			}
			arrowHead(c, q.color, tail, tip.Sub(u.Scale(0.55*head)), head)
		}
	}
}

// topSpeed returns the speed that a tenth of the box exceeds, over all fields, or an
// error that names the first point where a field is not finite.
func topSpeed(name string, box problem.Box, fields ...func(dst, x []float64)) (float64, error) {
	const n = 24
	var speeds []float64
	d := make([]float64, 2)
	for _, field := range fields {
		for i := range n * n {
			x := []float64{
				box.XMin + (box.XMax-box.XMin)*(float64(i%n)+0.5)/n,
				box.YMin + (box.YMax-box.YMin)*(float64(i/n)+0.5)/n,
			}
			field(d, x)
			speed := math.Hypot(d[0], d[1])
			if math.IsNaN(speed) || math.IsInf(speed, 0) {
				return 0, fmt.Errorf("figure: %s is (%v, %v) at (%.4g, %.4g): only finite vectors can be drawn", name, d[0], d[1], x[0], x[1])
			}
			speeds = append(speeds, speed)
		}
	}
	if len(speeds) == 0 {
		return 0, nil
	}
	slices.Sort(speeds)
	return speeds[len(speeds)*9/10], nil
}
