package setup

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"sgdlab/kernelext/kernelspec"
)

// toolNames are the programs of the tool block in kernelext/tools/go.mod.
var toolNames = []string{"gonb", "gopls", "goimports", "staticcheck"}

// goEnv is the environment of the go command during set-up: that of cells as far as it
// decides what can be found in the build cache, and nothing of the user's that could
// change the outcome.
var goEnv = []string{"GOEXPERIMENT=simd", "GOFLAGS=-buildvcs=false", "GOWORK=off"}

// modules downloads the modules: cells build with GOPROXY=off.
func (r *runner) modules(ctx context.Context) error {
	start := time.Now()
	if out, err := r.run(ctx, r.lab.Root, goEnv, r.g.Exe, "mod", "download"); err != nil {
		return explain("downloading the Go modules", out, err)
	}
	r.done("Go modules", start)
	return nil
}

// tools builds the tools in a folder of their own and then moves them into place.
func (r *runner) tools(ctx context.Context) error {
	start := time.Now()
	bin, err := os.MkdirTemp(r.lab.Path(), "tools-*")
	if err != nil {
		return explain("building the tools", nil, err)
	}
	defer os.RemoveAll(bin)
	dir := filepath.Join(r.lab.Root, "kernelext", "tools")
	if out, err := r.run(ctx, dir, append([]string{"GOBIN=" + bin}, goEnv...), r.g.Exe, "install", "tool"); err != nil {
		return explain("building the tools", out, err)
	}
	for _, tool := range toolNames {
		if err := os.Rename(filepath.Join(bin, tool), r.lab.Tool(tool)); err != nil {
			return explain("installing the tools", nil, err)
		}
	}
	r.done("tools: gonb, gopls, goimports, staticcheck", start)
	return nil
}

// warm compiles what cells import with exactly the settings of the kernel called name. A
// library that does not compile, because somebody is at work on it, is no reason to refuse
// them JupyterLab: warm says so and reports false.
func (r *runner) warm(ctx context.Context, name string) (ok bool, err error) {
	start := time.Now()
	packages := []string{"./pkg/..."}
	for _, p := range []string{"show", "cached"} {
		if exists(filepath.Join(r.lab.Root, "kernelext", p)) {
			packages = append(packages, "./kernelext/"+p)
		}
	}
	env := kernelspec.Environ(nil, r.lab.BuildEnv(name, r.g))
	out, err := r.run(ctx, r.lab.Root, env, r.g.Exe, append([]string{"build"}, packages...)...)
	switch {
	case err == nil:
		r.done("build cache of the kernel "+name, start)
		return true, nil
	case ctx.Err() != nil || known(out, err):
		return false, explain("compiling the library for the kernel "+name, out, err)
	}
	r.say("          the library does not compile, as cells will say: " + lastWords(out, err))
	return false, nil
}
