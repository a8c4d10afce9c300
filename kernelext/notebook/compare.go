package notebook

import (
	"bytes"
	"cmp"
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

// resolved returns s with the defaults.
func (s *CompareSettings) resolved() CompareSettings {
	r := CompareSettings{}
	if s != nil {
		r = *s
	}
	r.Relative = cmp.Or(r.Relative, 1e-6)
	r.Absolute = cmp.Or(r.Absolute, 1e-9)
	r.Picture = cmp.Or(r.Picture, 0.02)
	return r
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
//   - Pictures, also those within HTML, are compared as they look: coarse-grained, in
//     colour, and may differ in size but not in shape. No part may differ by more than 7.5 times what the whole may.
//   - A cell with the tag tolerance=0.05 has numbers that may differ by a twentieth, and
//     pictures that may differ by 0.05, where that is more than the tolerance.
//   - Cells with the tag varies are not compared, nor are the contents of what goes to
//     standard error.
//
// Notebooks with different code have one difference: the code.
func Compare(want, got *Notebook, settings *CompareSettings) []Difference {
	s := settings.resolved()
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
		for _, what := range s.cell(c, got.Cells[i]) {
			all = append(all, Difference{i + 1, what})
		}
	}
	return all
}

// cell compares the outputs of two cells of the same code; the tags are those of got.
func (s CompareSettings) cell(want, got *Cell) []string {
	if got.Type != Code || got.HasTag("varies") {
		return nil
	}
	for _, tag := range got.Tags() {
		if text, ok := strings.CutPrefix(tag, "tolerance="); ok {
			tolerance, err := strconv.ParseFloat(text, 64)
			if err != nil || !(tolerance > 0 && tolerance < 1) {
				return []string{fmt.Sprintf("the tag %s has no number between 0 and 1", tag)}
			}
			s.Relative, s.Picture = max(s.Relative, tolerance), max(s.Picture, tolerance)
		}
	}
	return s.outputs(want.Outputs, got.Outputs)
}

// outputs compares the outputs of one cell.
func (s *CompareSettings) outputs(want, got []*Output) []string {
	quiet := func(o *Output) bool { return o.Type == "stream" && o.Name == "stderr" }
	want = slices.DeleteFunc(slices.Clone(want), quiet)
	got = slices.DeleteFunc(slices.Clone(got), quiet)
	if len(want) != len(got) {
		return []string{fmt.Sprintf("it had %s and has %s", counted(len(want), "output"), counted(len(got), "output"))}
	}
	var all []string
	for i, o := range want {
		all = append(all, s.output(o, got[i])...)
	}
	return all
}

// counted returns a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// output compares two outputs and returns what is different.
func (s *CompareSettings) output(want, got *Output) []string {
	if want.Type != got.Type {
		return []string{fmt.Sprintf("an output was %s and is %s", want.Type, got.Type)}
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
			return []string{fmt.Sprintf("a display with and one without %s", kind)}
		}
		switch {
		case !hadIt:
		case kind == "text/html":
			return append(s.text(words(a), words(b)), s.embedded(a, b)...)
		case kind == "image/png" || kind == "image/jpeg":
			plainA, _ := want.Data["text/plain"].(string)
			plainB, _ := got.Data["text/plain"].(string)
			return append(s.picture(a, b, plainA), s.text(plainA, plainB)...)
		default:
			return s.text(a, b)
		}
	}
	return nil
}

// apart matches the start of a tag that sets a text apart from what is before it: without a
// space the numbers in neighbouring cells of a table would be one.
var apart = regexp.MustCompile(`(?i)</?(?:td|th|tr|table|p|div|li|br|summary|details|h[1-6])\b`)

// words returns the text in a piece of HTML.
func words(page string) string { return plainText(apart.ReplaceAllString(tame(page), " $0")) }

// embeddedPicture is a picture within HTML.
var embeddedPicture = regexp.MustCompile(`data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)`)

// embedded compares the pictures within two pieces of HTML.
func (s *CompareSettings) embedded(want, got string) []string {
	a, b := embeddedPicture.FindAllStringSubmatch(want, -1), embeddedPicture.FindAllStringSubmatch(got, -1)
	if len(a) != len(b) {
		return []string{fmt.Sprintf("HTML with %s has become one with %s", counted(len(a), "picture"), counted(len(b), "picture"))}
	}
	var all []string
	for i := range a {
		all = append(all, s.picture(a[i][1], b[i][1], "")...)
	}
	return all
}

// Patterns of what is no matter, and of numbers.
var (
	session = regexp.MustCompile(`[^\s"'<>]*\bgonb(_[0-9a-f]{8})?/`)
	unit    = `(?:ns|µs|us|ms|s|seconds?|min|minutes?|h|hours?)\b`
	times   = regexp.MustCompile(`(?:[0-9]+ (?:h|min) )*[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)? ?` + unit)
	rates   = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)? (?:per (?:second|minute|hour)|[A-Za-z]*/s)\b`)
	numbers = regexp.MustCompile(`[-−]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+|·10[-−]?[0-9]+)?`)
)

// reportedNumbers bounds how many numbers of one text are reported.
const reportedNumbers = 5

// text compares two texts: the words, and the numbers between them.
func (s *CompareSettings) text(want, got string) []string {
	a, b := normal(want), normal(got)
	if a == b {
		return nil
	}
	if !slices.Equal(numbers.Split(a, -1), numbers.Split(b, -1)) {
		return []string{fmt.Sprintf("%s has become %s", excerpt(a, b), excerpt(b, a))}
	}
	placesA, placesB := numbers.FindAllStringIndex(a, -1), numbers.FindAllStringIndex(b, -1)
	var all []string
	more := 0
	for i, p := range placesA {
		was, is := a[p[0]:p[1]], b[placesB[i][0]:placesB[i][1]]
		switch {
		case s.near(was, is):
		case len(all) < reportedNumbers:
			all = append(all, fmt.Sprintf("%s has become %s after %q", was, is, tail(a[:p[0]])))
		default:
			more++
		}
	}
	if more > 0 {
		all = append(all, "and "+counted(more, "more number"))
	}
	return all
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

// fields returns the number of fields along a side of n points: ten points to a field, but
// one in small pictures, whose points are the entries of a matrix.
func fields(n int) int {
	if n < 200 {
		return n
	}
	return n / 10
}

// picture compares two pictures in base64; name says what they are, in its first line.
func (s *CompareSettings) picture(want, got, name string) []string {
	if want == got {
		return nil
	}
	called := "a picture"
	if name, _, _ = strings.Cut(name, "\n"); name != "" {
		called = fmt.Sprintf("the picture %q", head(name))
	}
	a, errA := decodePicture(want)
	b, errB := decodePicture(got)
	if errA != nil || errB != nil {
		return []string{called + " is damaged"}
	}
	sizeA, sizeB := a.Bounds().Size(), b.Bounds().Size()
	if slant := sizeA.X*sizeB.Y - sizeB.X*sizeA.Y; abs(slant) > 2*max(sizeA.X, sizeA.Y, sizeB.X, sizeB.Y) {
		return []string{fmt.Sprintf("%s of %d×%d points has become one of %d×%d", called, sizeA.X, sizeA.Y, sizeB.X, sizeB.Y)}
	}
	// Slim may have made one of them smaller, by a quarter or more; the other is then made so
	// in the same way.
	switch {
	case 10*sizeA.X < 9*sizeB.X:
		b = resized(b, sizeA.X)
	case 10*sizeB.X < 9*sizeA.X:
		a = resized(a, sizeB.X)
	}
	width, height := fields(a.Bounds().Dx()), fields(a.Bounds().Dy())
	fieldsA, fieldsB := coarse(a, width, height), coarse(b, width, height)
	sum, most, where := 0.0, 0.0, 0
	for i := range fieldsA {
		d := math.Abs(fieldsA[i] - fieldsB[i])
		sum += d * d
		if d > most {
			most, where = d, i/3
		}
	}
	// A curve that has moved is a small part of the picture, but a large one of its fields:
	// one of three points across fills 0.3 of it. One that has moved by a single point, as
	// on another machine, changes 0.1.
	if rms := math.Sqrt(sum / float64(len(fieldsA))); rms > s.Picture || most > 7.5*s.Picture {
		return []string{fmt.Sprintf("%s looks different: by %.3f on the whole, by %.2f at %d %% from the left and %d %% from the top",
			called, rms, most, 100*(where%width)/width, 100*(where/width)/height)}
	}
	return nil
}

func abs(n int) int { return max(n, -n) }

// head returns the first words of s.
func head(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

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
