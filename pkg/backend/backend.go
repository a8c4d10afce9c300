package backend

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"
)

// goConfig is the only safe configuration of the pure-Go backend: plain "go" waits
// for ever when 2·GOMAXPROCS or more matrix products are ready together.
const goConfig = "go:ops_sequential"

// Backend is an open GoMLX backend. It is safe for concurrent use.
type Backend struct {
	compute.Backend
	config string
	why    string
}

// Config returns the GoMLX configuration that b was opened with, as in "go:ops_sequential".
func (b *Backend) Config() string { return b.config }

// IsXLA reports whether b compiles with XLA: then operations run on several cores
// already, and a new shape costs a compilation.
func (b *Backend) IsXLA() bool { return strings.HasPrefix(b.config, "xla") }

// String describes b in one line: what it is and why it was chosen.
func (b *Backend) String() string {
	name := "GoMLX's Go backend"
	if b.IsXLA() {
		name = "XLA on the CPU"
	}
	return fmt.Sprintf("%s (%s): %s", name, b.config, b.why)
}

// Default returns the backend of this process. The first call chooses it; later
// calls return the same one, or the same error. It returns an error only if
// GOMLX_BACKEND asks for something that cannot be had.
func Default() (*Backend, error) { return choose() }

var choose = sync.OnceValues(func() (*Backend, error) {
	return pick(os.Getenv("GOMLX_BACKEND"), findXLA())
})

// Describe returns one line that says which backend this process uses and why.
func Describe() string {
	b, err := Default()
	if err != nil {
		return "no backend: " + err.Error()
	}
	return b.String()
}

// xlaPlugin is what is known about the XLA CPU plug-in before it is loaded.
type xlaPlugin struct {
	found bool
	why   string // where it is, or why there is none
}

// pick applies the order of the package comment. wanted is the value of GOMLX_BACKEND.
func pick(wanted string, plugin xlaPlugin) (*Backend, error) {
	if wanted != "" {
		b, err := Open(wanted)
		if err != nil {
			return nil, fmt.Errorf("backend: GOMLX_BACKEND=%s: %w", wanted, err)
		}
		b.why = "GOMLX_BACKEND=" + wanted
		return b, nil
	}
	reason := plugin.why
	if plugin.found {
		b, err := Open("xla:cpu")
		if err == nil {
			b.why = plugin.why
			return b, nil
		}
		reason = err.Error()
	}
	b, err := Open("go")
	if err != nil {
		return nil, err
	}
	b.why = reason
	return b, nil
}

// Open opens the backend of a GoMLX configuration: "go" (always with sequential
// operations, whatever else the configuration says), "xla:cpu", or "xla:" with the
// absolute path of a plug-in. Backends are heavy; most callers want [Default].
//
// It returns an error that names the remedy if there is no such backend in this
// build, or the plug-in is missing, damaged or of a version that was not tested.
func Open(config string) (*Backend, error) {
	warnWithoutSIMD()
	name, options, _ := strings.Cut(config, ":")
	switch name {
	case "go":
		if options != "" && options != "ops_sequential" {
			return nil, fmt.Errorf("backend: %q is not supported, because operations in parallel can deadlock; use \"go\"", config)
		}
		b, err := compute.NewWithConfig(goConfig)
		if err != nil {
			return nil, fmt.Errorf("backend: opening %s: %w", goConfig, err)
		}
		return &Backend{Backend: b, config: goConfig, why: "asked for by name"}, nil
	case "xla":
		b, err := openXLA(config)
		if err != nil {
			return nil, err
		}
		return &Backend{Backend: b, config: config, why: "asked for by name"}, nil
	}
	return nil, fmt.Errorf("backend: no backend is called %q; use \"go\" or \"xla:cpu\"", config)
}
