package figure

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// linearTicks marks multiples of 1, 2 or 5 times a power of ten, four to nine of them,
// with labels of equal precision and a true minus sign.
type linearTicks struct{}

// Ticks returns the ticks in [lo, hi].
func (linearTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(hi > lo) {
		return nil
	}
	raw := (hi - lo) / 5
	power := math.Pow10(int(math.Floor(math.Log10(raw))))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*0.999 {
			step = m * power
			break
		}
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		label := strconv.FormatFloat(i*step, 'f', decimals, 64)
		if i == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: i * step, Label: trueMinus(label)})
	}
	return ticks
}

// logTicks marks decades, every one or every second, third, … so that at most nine are
// labelled, and the multiples 2…9 between them where there are at most eight decades; 2
// and 5 are labelled too where there is little more than one decade.
type logTicks struct{}

// Ticks returns the ticks in [lo, hi], both positive.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0 && hi > lo) {
		return nil
	}
	first, last := int(math.Floor(math.Log10(lo)+1e-9)), int(math.Ceil(math.Log10(hi)-1e-9))
	every := (last-first)/9 + 1
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		tick := plot.Tick{Value: math.Pow10(e)}
		if e%every == 0 {
			tick.Label = powerOfTen(e)
		}
		if hi < 30*lo {
			tick.Label = number(tick.Value, 1) // as between the decades
		}
		ticks = append(ticks, tick)
		for m := 2.0; m < 10 && last-first <= 8; m++ {
			tick := plot.Tick{Value: m * math.Pow10(e)}
			if hi < 30*lo && (m == 2 || m == 5) {
				tick.Label = number(tick.Value, 1)
			}
			ticks = append(ticks, tick)
		}
	}
	// A tick outside the axis is not drawn, but its label would take up room.
	kept := ticks[:0]
	for _, t := range ticks {
		if t.Value >= lo*(1-1e-9) && t.Value <= hi*(1+1e-9) {
			kept = append(kept, t)
		}
	}
	return kept
}

// powerOfTen formats 10^e; 1 and 10 are written out.
func powerOfTen(e int) string {
	switch e {
	case 0:
		return "1"
	case 1:
		return "10"
	}
	return "10" + superscript(e)
}

// superscript formats an integer exponent in Unicode.
func superscript(e int) string {
	return strings.NewReplacer(
		"-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹",
	).Replace(strconv.Itoa(e))
}

// number formats v with the given number of significant digits: as a decimal between
// 0.001 and 100,000, otherwise as a·10ᵉ; with a true minus sign.
func number(v float64, digits int) string {
	if v == 0 {
		return "0"
	}
	s := strconv.FormatFloat(v, 'e', digits-1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	e, _ := strconv.Atoi(exponent)
	if e >= -3 && e < 5 {
		s = strconv.FormatFloat(v, 'f', max(0, digits-1-e), 64)
	} else {
		s = mantissa + "·10" + superscript(e)
	}
	return trueMinus(s)
}

// trueMinus replaces the hyphen of formatted numbers.
func trueMinus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// count formats a number of things with thousands separated: 60,000.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
