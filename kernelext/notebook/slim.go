package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"slices"
	"strings"
)

// level is how far a picture is reduced: to a number of colours, and to a part of its width.
type level struct {
	colours int
	width   float64
}

// levels are those of [Slim]: the last ones still show what is in a picture 605 points wide
// on a page, which package show makes of about 1000.
var levels = []level{{256, 1}, {64, 1}, {64, 0.75}, {64, 0.6}}

// Slim returns a copy of nb in the form in which a notebook is kept in a repository: of a
// display that has a PNG the SVG is left out, and the PNG has at most 256 colours. Where the
// file would be larger than limit bytes the largest pictures get 64 colours, then fewer
// points; it is an error if that does not suffice. The same notebook gives the same bytes on
// any machine. A picture with transparent parts, or one that does not become smaller, stays
// as it is.
func Slim(nb *Notebook, limit int) (*Notebook, error) {
	slim := nb.Clone()
	type picture struct {
		of    *Output
		full  image.Image
		level int
	}
	var pictures []*picture
	for i, c := range slim.Cells {
		for j, o := range c.Outputs {
			data, ok := o.Data["image/png"].(string)
			if !ok {
				continue
			}
			m, err := decodePicture(data)
			if err != nil {
				return nil, fmt.Errorf("notebook: cell %d: a picture is damaged (%w): run the notebook again", i+1, err)
			}
			copied := *o
			copied.Data = maps.Clone(o.Data)
			delete(copied.Data, "image/svg+xml")
			copied.shrink(m, levels[0])
			c.Outputs[j] = &copied
			pictures = append(pictures, &picture{&copied, m, 0})
		}
	}
	b, err := slim.Encode()
	if err != nil {
		return nil, err
	}
	size := len(b)
	for size > limit {
		var largest *picture
		for _, p := range pictures {
			if p.level+1 < len(levels) && (largest == nil || p.of.pictureSize() > largest.of.pictureSize()) {
				largest = p
			}
		}
		if largest == nil {
			return nil, fmt.Errorf("notebook: %d kB, more than %d kB, though its pictures are as small as they can be: show fewer", size/1000, limit/1000)
		}
		before := largest.of.pictureSize()
		largest.level++
		largest.of.shrink(largest.full, levels[largest.level])
		size += largest.of.pictureSize() - before
	}
	return slim, nil
}

func (o *Output) pictureSize() int { return len(o.Data["image/png"].(string)) }

// shrink makes m, reduced to a level, the PNG of o, unless that one is smaller.
func (o *Output) shrink(m image.Image, l level) {
	if l.width < 1 {
		m = resized(m, int(math.Round(float64(m.Bounds().Dx())*l.width)))
	}
	reduced, ok := quantise(m, l.colours)
	if !ok {
		return
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, reduced); err != nil {
		return // the picture is empty
	}
	if small := base64.StdEncoding.EncodeToString(b.Bytes()); len(small) < o.pictureSize() {
		o.Data["image/png"] = small
	}
}

// shade is a colour and how many points of a picture have it.
type shade struct {
	rgb    [3]int64
	points int64
}

// box is a set of shades that become one, their mean.
type box struct {
	shades []shade
	mean   [3]int64
	err    int64 // sum of squares of the differences from the mean, over the widest channel
	widest int   // channel
}

// newBox is in whole numbers, which are the same on all machines: up to 2²⁵ points the sums
// stay below 2⁶³.
func newBox(shades []shade) box {
	b := box{shades: shades}
	for channel := range b.mean {
		var n, sum, squares int64
		for _, s := range shades {
			v := s.rgb[channel]
			n, sum, squares = n+s.points, sum+s.points*v, squares+s.points*v*v
		}
		mean := (sum + n/2) / n
		b.mean[channel] = mean
		if e := squares - 2*mean*sum + n*mean*mean; e > b.err {
			b.err, b.widest = e, channel
		}
	}
	return b
}

// quantise returns m with at most the given number of colours: the box that is furthest from
// its mean is cut there, until there are enough. It is not ok if m has transparent parts.
func quantise(m image.Image, colours int) (*image.Paletted, bool) {
	bounds := m.Bounds()
	counts := map[[3]int64]int64{}
	points := make([][3]int64, 0, bounds.Dx()*bounds.Dy())
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, a := m.At(x, y).RGBA()
			if a != 0xffff {
				return nil, false
			}
			rgb := [3]int64{int64(r >> 8), int64(g >> 8), int64(b >> 8)}
			counts[rgb]++
			points = append(points, rgb)
		}
	}
	if len(points) == 0 {
		return nil, false
	}
	var shades []shade
	for rgb, n := range counts {
		shades = append(shades, shade{rgb, n})
	}
	slices.SortFunc(shades, func(a, b shade) int { return slices.Compare(a.rgb[:], b.rgb[:]) })
	boxes := []box{newBox(shades)}
	for len(boxes) < colours {
		worst := 0
		for i, b := range boxes {
			if b.err > boxes[worst].err {
				worst = i
			}
		}
		b := boxes[worst]
		if b.err == 0 {
			break
		}
		var low, high []shade
		for _, s := range b.shades {
			if s.rgb[b.widest] > b.mean[b.widest] {
				high = append(high, s)
			} else {
				low = append(low, s)
			}
		}
		if len(high) == 0 { // the mean was rounded up
			low, high = low[:len(low)-1], low[len(low)-1:]
		}
		boxes[worst] = newBox(low)
		boxes = append(boxes, newBox(high))
	}
	index := map[[3]int64]uint8{}
	palette := make(color.Palette, len(boxes))
	for i, b := range boxes {
		palette[i] = color.RGBA{uint8(b.mean[0]), uint8(b.mean[1]), uint8(b.mean[2]), 255}
		for _, s := range b.shades {
			index[s.rgb] = uint8(i)
		}
	}
	reduced := image.NewPaletted(image.Rect(0, 0, bounds.Dx(), bounds.Dy()), palette)
	for i, rgb := range points {
		reduced.Pix[i] = index[rgb]
	}
	return reduced, true
}

// Keep returns a copy of ran, a run of the notebook old or of an edited one, with the outputs
// of old in the cells where [Compare] would find no difference: what has not changed in
// substance stays the same to the byte. Cells with the tag varies keep theirs if nothing
// else has changed. Both should be [Slim], or neither.
func Keep(old, ran *Notebook, settings *CompareSettings) *Notebook {
	s := settings.resolved()
	before := map[string][]*Cell{} // by source, in order
	for _, c := range old.Cells {
		if c.Type == Code {
			before[c.Source] = append(before[c.Source], c)
		}
	}
	kept := ran.Clone()
	varying := map[*Cell]*Cell{}
	settled := true
	for _, c := range kept.Cells {
		if c.Type != Code {
			continue
		}
		found := before[c.Source]
		if len(found) == 0 {
			settled = false
			continue
		}
		before[c.Source] = found[1:]
		switch {
		case c.HasTag("varies"):
			varying[c] = found[0]
		case kinds(found[0]) == kinds(c) && len(s.cell(found[0], c)) == 0:
			c.Outputs = found[0].Outputs
		default:
			settled = false
		}
	}
	for c, was := range varying {
		if settled && kinds(was) == kinds(c) {
			c.Outputs = was.Outputs
		}
	}
	return kept
}

// kinds names what the outputs of a cell are.
func kinds(c *Cell) string {
	var b strings.Builder
	for _, o := range c.Outputs {
		b.WriteString(o.Type + " " + o.Name)
		for _, mime := range slices.Sorted(maps.Keys(o.Data)) {
			b.WriteString(" " + mime)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
