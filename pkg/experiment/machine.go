package experiment

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Machine is what timings and last bits depend on.
type Machine struct {
	CPU     string `json:"cpu"`   // model; the architecture where the system does not tell
	Cores   int    `json:"cores"` // that the program may use
	System  string `json:"system"`
	Go      string `json:"go"`
	Backend string `json:"backend,omitempty"` // of GoMLX: "go" or "xla:cpu"; empty if none was used
}

// String describes the machine in one line.
func (m Machine) String() string {
	s := fmt.Sprintf("%s, %d cores, %s, %s", m.CPU, m.Cores, m.System, m.Go)
	if m.Backend != "" {
		s += ", " + m.Backend
	}
	return s
}

func thisMachine(backend string) Machine {
	return Machine{
		CPU:     cpuModel(),
		Cores:   runtime.GOMAXPROCS(0),
		System:  runtime.GOOS + "/" + runtime.GOARCH,
		Go:      runtime.Version(),
		Backend: backend,
	}
}

// cpuModel returns the name that Linux gives to the first processor.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// revision is the version-control revision that the program was built from, if it knows.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var id, changed string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			id = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	if id == "" {
		return ""
	}
	return id + changed
}

// round returns v with the given number of significant decimal digits.
func round(v float64, digits int) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	if err != nil {
		panic(err) // FormatFloat writes what ParseFloat reads
	}
	return rounded
}

// roundAll returns the values of a with the given number of significant decimal digits.
func roundAll(a []float64, digits int) []float64 {
	if a == nil {
		return nil
	}
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = round(v, digits)
	}
	return out
}

// roundSpectrum rounds eigenvalues to seven digits above a hundredth of cut and to three below
// it, so that files stay small: no count at the cut and no sum notices.
func roundSpectrum(values []float64, cut float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		digits := 7
		if v < cut/100 {
			digits = 3
		}
		out[i] = round(v, digits)
	}
	return out
}
