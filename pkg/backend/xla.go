//go:build cgo && !noxla

package backend

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// tested lists the versions of the PJRT C API that the tests of this project ran with.
var tested = [][2]int{{0, 81}}

// findXLA looks for an XLA CPU plug-in in the places that go-xla searches, without
// loading it and without the network.
func findXLA() xlaPlugin {
	xla.EnableAutoInstall(false)
	if slices.ContainsFunc(xla.GetAvailablePlugins(), func(name string) bool { return strings.HasPrefix(name, "cpu") }) {
		where := "in a standard place"
		if os.Getenv("PJRT_PLUGIN_LIBRARY_PATH") != "" {
			where = "through PJRT_PLUGIN_LIBRARY_PATH"
		}
		return xlaPlugin{true, "its PJRT plug-in was found " + where}
	}
	return xlaPlugin{false, "no XLA CPU plug-in was found; `sgdlab setup` installs it"}
}

// openXLA opens an XLA backend. A missing plug-in is reported before anything is loaded.
func openXLA(config string) (b compute.Backend, err error) {
	xla.EnableAutoInstall(false)
	_, plugin, _ := strings.Cut(config, ":")
	if plugin == "" || plugin == "cpu" {
		if p := findXLA(); !p.found {
			return nil, fmt.Errorf("backend: XLA: %s, or use the backend \"go\"", p.why)
		}
		plugin = "cpu"
	}
	defer func() { // go-xla panics on some damaged libraries
		if r := recover(); r != nil {
			b, err = nil, fmt.Errorf("backend: the XLA plug-in of %q cannot be used (%v); `sgdlab setup` installs a good one", config, r)
		}
	}()
	p, err := pjrt.GetPlugin(plugin)
	if err != nil {
		return nil, fmt.Errorf("backend: the XLA plug-in of %q cannot be loaded (%s); `sgdlab setup` installs a good one", config, firstLine(err))
	}
	major, minor := p.Version()
	if !slices.Contains(tested, [2]int{major, minor}) {
		return nil, fmt.Errorf("backend: the XLA plug-in of %q has PJRT C API %d.%d, tested is %d.%d; `sgdlab setup` installs that one", config, major, minor, tested[0][0], tested[0][1])
	}
	b, err = compute.NewWithConfig(config)
	if err != nil { // b holds a nil pointer then
		return nil, fmt.Errorf("backend: opening %q: %s", config, firstLine(err))
	}
	return b, nil
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}
