package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // formats of pictures in notebooks
	_ "image/png"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// CompareSettings are the settings of [Compare]; nil or zero fields mean the defaults.
type CompareSettings struct {
	Relative float64 // by which numbers may differ; default 1e-6
	Absolute float64 // or; default 1e-9
	Picture  float64 // root mean square difference of two pictures seen from afar, where 1 is black against white; default 0.02
}

// Difference is a place where two runs of a notebook differ.
type Difference struct {
	Cell int // position among all cells, from 1; 0: the notebook as a whole
	What string
}

func (d Difference) String() string {
	if d.Cell == 0 {
		return d.What
	}
	return fmt.Sprintf("cell %d: %s", d.Cell, d.What)
}

// Compare says where the outputs of two runs of the same notebook differ in a way that
// matters. The first one is what is expected, the second one what has come out.
//
//   - Numbers in texts may differ by the tolerance, or by one in the last decimal that is
//     printed.
//   - Times and rates (12 s, 3 min 20 s, 500 per second) are no matter.
//   - Pictures are compared as they look: coarse-grained, in colour.
//   - Cells with the tag varies are not compared, nor are the contents of what goes to
//     standard error.
//
// Notebooks with different code have one difference: the code.
func Compare(want, got *Notebook, settings *CompareSettings) []Difference {
	s := CompareSettings{}
	if settings != nil {
		s = *settings
	}
	if s.Relative == 0 {
		s.Relative = 1e-6
	}
	if s.Absolute == 0 {
		s.Absolute = 1e-9
	}
	if s.Picture == 0 {
		s.Picture = 0.02
	}
	if len(want.Cells) != len(got.Cells) {
		return []Difference{{0, fmt.Sprintf("one notebook has %d cells, the other %d", len(want.Cells), len(got.Cells))}}
	}
	for i, c := range want.Cells {
		if c.Type != got.Cells[i].Type || c.Type == Code && c.Source != got.Cells[i].Source {
			return []Difference{{i + 1, "the code has changed since the outputs were made"}}
		}
	}
	var all []Difference
	for i, c := range want.Cells {
		if c.Type != Code || c.HasTag("varies") {
			continue
		}
		for _, what := range s.outputs(c.Outputs, got.Cells[i].Outputs) {
			all = append(all, Difference{i + 1, what})
		}
	}
	return all
}

// outputs compares the outputs of one cell.
func (s *CompareSettings) outputs(want, got []*Output) []string {
	quiet := func(o *Output) bool { return o.Type == "stream" && o.Name == "stderr" }
	want = slices.DeleteFunc(slices.Clone(want), quiet)
	got = slices.DeleteFunc(slices.Clone(got), quiet)
	if len(want) != len(got) {
		return []string{fmt.Sprintf("it had %d outputs and has %d", len(want), len(got))}
	}
	var all []string
	for i, o := range want {
		if what := s.output(o, got[i]); what != "" {
			all = append(all, what)
		}
	}
	return all
}

// output compares two outputs and returns what is different.
func (s *CompareSettings) output(want, got *Output) string {
	if want.Type != got.Type {
		return fmt.Sprintf("an output was %s and is %s", want.Type, got.Type)
	}
	switch want.Type {
	case "stream":
		return s.text(want.Text, got.Text)
	case "error":
		return s.text(want.Ename+": "+want.Evalue, got.Ename+": "+got.Evalue)
	}
	for _, kind := range []string{"text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml", "text/plain"} {
		a, hadIt := want.Data[kind].(string)
		b, hasIt := got.Data[kind].(string)
		if hadIt != hasIt {
			return fmt.Sprintf("a display with and one without %s", kind)
		}
		switch {
		case !hadIt:
		case kind == "text/html":
			return s.text(plainText(tame(a)), plainText(tame(b)))
		case kind == "image/png" || kind == "image/jpeg":
			return s.picture(a, b)
		default:
			return s.text(a, b)
		}
	}
	return ""
}

// Patterns of what is no matter, and of numbers.
var (
	session = regexp.MustCompile(`[^\s"'<>]*\bgonb(_[0-9a-f]{8})?/`)
	unit    = `(?:ns|µs|us|ms|s|seconds?|min|minutes?|h|hours?)\b`
	times   = regexp.MustCompile(`(?:[0-9]+ (?:h|min) )*[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)? ?` + unit)
	rates   = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)? (?:per (?:second|minute|hour)|[A-Za-z]*/s)\b`)
	numbers = regexp.MustCompile(`[-−]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+|·10[-−]?[0-9]+)?`)
)

// text compares two texts: the words, and the numbers between them.
func (s *CompareSettings) text(want, got string) string {
	a, b := normal(want), normal(got)
	if a == b {
		return ""
	}
	wordsA, wordsB := numbers.Split(a, -1), numbers.Split(b, -1)
	if !slices.Equal(wordsA, wordsB) {
		return fmt.Sprintf("%s has become %s", excerpt(a, b), excerpt(b, a))
	}
	numbersA, numbersB := numbers.FindAllString(a, -1), numbers.FindAllString(b, -1)
	for i := range numbersA {
		if !s.near(numbersA[i], numbersB[i]) {
			return fmt.Sprintf("%s has become %s after %q", numbersA[i], numbersB[i], tail(wordsA[i]))
		}
	}
	return ""
}

// normal takes out of a text what is no matter.
func normal(s string) string {
	s = session.ReplaceAllString(gonbName.ReplaceAllString(overwrite(stripANSI(s)), "gonb"), "")
	s = rates.ReplaceAllString(times.ReplaceAllString(s, "⟨time⟩"), "⟨rate⟩")
	return strings.Join(strings.Fields(s), " ")
}

// tail returns the last words of s.
func tail(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return "…" + string(r[len(r)-most:])
	}
	return s
}

// excerpt returns the part of s where it begins to differ from other, quoted.
func excerpt(s, other string) string {
	a, b := []rune(s), []rune(other)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	begin, end := max(0, i-20), min(len(a), i+40)
	return strconv.Quote(string(a[begin:end]))
}

// near reports whether two numbers agree, as they are printed.
func (s *CompareSettings) near(want, got string) bool {
	a, unitA := value(want)
	b, unitB := value(got)
	difference := math.Abs(a - b)
	if difference <= s.Absolute || difference <= s.Relative*max(math.Abs(a), math.Abs(b)) {
		return true
	}
	// The last decimal may be rounded the other way. 1.01: so may a − b.
	return unitA > 0 && difference <= 1.01*max(unitA, unitB)
}

// value returns a printed number and the unit of its last decimal, 0 for integers.
func value(s string) (v, unit float64) {
	s = strings.NewReplacer("−", "-", "·10", "e", "E", "e").Replace(s)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN(), 0
	}
	mantissa, exponent, _ := strings.Cut(s, "e")
	_, decimals, fraction := strings.Cut(mantissa, ".")
	if !fraction && exponent == "" {
		return v, 0
	}
	e, _ := strconv.Atoi(exponent) // empty: 0
	return v, math.Pow(10, float64(e-len(decimals)))
}

// grid is the number of fields along a side of a coarse picture.
const grid = 48

// picture compares two pictures in base64.
func (s *CompareSettings) picture(want, got string) string {
	if want == got {
		return ""
	}
	a, errA := decodePicture(want)
	b, errB := decodePicture(got)
	if errA != nil || errB != nil {
		return "a picture is damaged"
	}
	sizeA, sizeB := a.Bounds().Size(), b.Bounds().Size()
	if abs(sizeA.X-sizeB.X) > 2 || abs(sizeA.Y-sizeB.Y) > 2 {
		return fmt.Sprintf("a picture of %d×%d points has become one of %d×%d", sizeA.X, sizeA.Y, sizeB.X, sizeB.Y)
	}
	fieldsA, fieldsB := coarse(a, grid, grid), coarse(b, grid, grid)
	sum, most := 0.0, 0.0
	for i := range fieldsA {
		d := fieldsA[i] - fieldsB[i]
		sum += d * d
		most = max(most, math.Abs(d))
	}
	// A curve that has moved is a small part of the picture, but a large one of its fields.
	if rms := math.Sqrt(sum / float64(len(fieldsA))); rms > s.Picture || most > 20*s.Picture {
		return fmt.Sprintf("a picture looks different: by %.3f on the whole, by %.2f where it is most", rms, most)
	}
	return ""
}

func abs(n int) int { return max(n, -n) }

// decodePicture returns a picture in base64.
func decodePicture(data string) (image.Image, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		return nil, err
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	return m, err
}

// coarse returns the mean colours, red, green and blue from 0 to 1, of the width×height
// fields of a picture. Where nothing is painted it is white.
func coarse(m image.Image, width, height int) []float64 {
	fields, points := make([]float64, 3*width*height), make([]float64, width*height)
	bounds := m.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			red, green, blue, alpha := m.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			field := y*height/bounds.Dy()*width + x*width/bounds.Dx()
			points[field]++
			for channel, v := range [3]uint32{red, green, blue} {
				fields[3*field+channel] += float64(v+0xffff-alpha) / 0xffff
			}
		}
	}
	for i := range fields {
		if n := points[i/3]; n > 0 {
			fields[i] /= n
		}
	}
	return fields
}
