package kernelspec

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"sgdlab/kernelext/notebook"
)

// Status is the outcome of a check.
type Status int

// Outcomes, the best one first.
const (
	Good   Status = iota
	Poor          // something is slower or absent, cells work
	Broken        // cells do not work
)

func (s Status) String() string {
	return [...]string{"ok", "note", "BROKEN"}[s]
}

// Check is one line of [Doctor].
type Check struct {
	Name   string
	Status Status
	Found  string
	Remedy string // what to do, unless Status is Good
}

const runSetup = "run `.lab/bin/sgdlab setup` in the clone"

// Doctor checks what a cell of the clone needs, from the go command to a kernel that
// answers. It changes nothing and needs no network.
func Doctor(ctx context.Context, l Lab) []Check {
	g, err := FindGo(ctx, l.Root, "")
	if err != nil {
		return []Check{{"Go", Broken, err.Error(), installGo}}
	}
	checks := []Check{{"Go", Good, g.Version + ", " + g.Exe, ""}}
	for _, check := range []func(context.Context, *GoTool) Check{
		l.checkCompiler, l.checkTools, l.checkModules, l.checkPlugin, l.checkSpecs, l.checkCache, l.checkDisk, l.checkPorts, l.checkKernel, l.checkPython,
	} {
		checks = append(checks, check(ctx, g))
	}
	return checks
}

// WriteTable writes checks as a table for a terminal.
func WriteTable(w io.Writer, checks []Check) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Status, c.Name, c.Found)
		if c.Remedy != "" {
			fmt.Fprintf(t, "\t\t→ %s\n", c.Remedy)
		}
	}
	return t.Flush()
}

func (l Lab) checkCompiler(_ context.Context, g *GoTool) Check {
	if !g.CGo {
		return Check{"C compiler", Poor, "none, so cells use GoMLX's Go backend",
			"for XLA install gcc (on Debian and Ubuntu: apt install gcc libc6-dev) and run `.lab/bin/sgdlab setup --xla`"}
	}
	return Check{"C compiler", Good, "cgo works", ""}
}

func (l Lab) checkTools(context.Context, *GoTool) Check {
	var found []string
	for _, tool := range []string{"gonb", "gopls", "goimports", "staticcheck"} {
		info, err := buildinfo.ReadFile(l.Tool(tool))
		if err != nil {
			return Check{"tools", Broken, tool + " cannot be used: " + err.Error(), runSetup}
		}
		found = append(found, tool+" "+info.Main.Version)
	}
	return Check{"tools", Good, strings.Join(found, ", "), ""}
}

// checkModules asks for all packages that this module's packages import, as cells do:
// without the network.
func (l Lab) checkModules(ctx context.Context, g *GoTool) Check {
	cmd := exec.CommandContext(ctx, g.Exe, "list", "-deps", "./pkg/...")
	cmd.Dir, cmd.Env = l.Root, Environ(os.Environ(), l.BuildEnv(Name, g))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Check{"Go modules", Broken, lastLine(out, err), "connect to the network and " + runSetup}
	}
	return Check{"Go modules", Good, fmt.Sprintf("all %d packages, in %s", bytes.Count(out, []byte("\n")), g.ModCache), ""}
}

func (l Lab) checkPlugin(_ context.Context, g *GoTool) Check {
	info, err := os.Stat(l.Plugin())
	switch {
	case err != nil:
		return Check{"XLA plug-in", Poor, "none, so cells use GoMLX's Go backend", "if you want XLA run `.lab/bin/sgdlab setup --xla`"}
	case info.Size() < 100<<20:
		return Check{"XLA plug-in", Broken, fmt.Sprintf("%s has only %d bytes", l.Plugin(), info.Size()), "remove that file and run `.lab/bin/sgdlab setup --xla`"}
	}
	return Check{"XLA plug-in", Good, fmt.Sprintf("%s, %d MB", l.Plugin(), info.Size()>>20), ""}
}

// checkSpecs checks both kernels in the clone and, where they are installed, the user's.
func (l Lab) checkSpecs(_ context.Context, g *GoTool) Check {
	dirs := []string{l.DataDir()}
	if user, err := UserDataDir(); err == nil && user != l.DataDir() {
		dirs = append(dirs, user)
	}
	var found []string
	for _, dir := range dirs {
		here := 0
		for _, name := range Names() {
			spec, err := notebook.ReadSpec(Folder(dir, name))
			if errors.Is(err, fs.ErrNotExist) && dir != l.DataDir() {
				continue
			}
			remedy := runSetup
			if dir != l.DataDir() {
				remedy = "run `.lab/bin/sgdlab kernel install --user` in the clone"
			}
			if err != nil {
				return Check{"kernels", Broken, err.Error(), remedy}
			}
			if _, err := os.Stat(spec.Argv[0]); err != nil {
				return Check{"kernels", Broken, fmt.Sprintf("the kernel %s in %s starts %s, which is gone", name, dir, spec.Argv[0]), remedy}
			}
			want := l.Env(name, g)
			if dir == l.DataDir() && (spec.Env["GOFLAGS"] != want["GOFLAGS"] || spec.Env["CGO_ENABLED"] != want["CGO_ENABLED"]) {
				return Check{"kernels", Poor, "the kernel " + name + " has settings of another set-up", runSetup}
			}
			here++
		}
		if here > 0 {
			found = append(found, dir)
		}
	}
	return Check{"kernels", Good, strings.Join(Names(), ", ") + " in " + strings.Join(found, " and "), ""}
}

// checkCache asks the go command what it would have to compile for a cell.
func (l Lab) checkCache(ctx context.Context, g *GoTool) Check {
	cmd := exec.CommandContext(ctx, g.Exe, "build", "-n", "./pkg/...")
	cmd.Dir, cmd.Env = l.Root, Environ(os.Environ(), l.BuildEnv(Name, g))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Check{"build cache", Broken, "the library does not compile: " + lastLine(out, err), "run `go build ./pkg/...` and mend the code"}
	}
	if n := bytes.Count(out, []byte("/compile ")); n > 0 {
		return Check{"build cache", Poor, fmt.Sprintf("%d packages are not compiled, so the next cell is slow", n), runSetup}
	}
	return Check{"build cache", Good, "warm, in " + g.Cache, ""}
}

func (l Lab) checkDisk(_ context.Context, g *GoTool) Check {
	const need = 500 << 20
	least, where := uint64(1<<63), ""
	for _, dir := range []string{l.Path(), g.Cache, g.ModCache, os.TempDir()} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) != nil {
			continue
		}
		if free := fs.Bavail * uint64(fs.Bsize); free < least {
			least, where = free, dir
		}
	}
	found := fmt.Sprintf("%.1f GB free for %s", float64(least)/1e9, where)
	if least < need {
		return Check{"disk", Broken, found, "free some, or set GOCACHE, GOMODCACHE and TMPDIR to a larger disk"}
	}
	return Check{"disk", Good, found, ""}
}

func (l Lab) checkPorts(context.Context, *GoTool) Check {
	for range 5 { // as many as a kernel needs
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return Check{"ports", Broken, "no port can be opened on this machine: " + err.Error(), "allow connections to 127.0.0.1"}
		}
		defer listener.Close()
	}
	return Check{"ports", Good, "free ports on 127.0.0.1", ""}
}

// checkKernel runs a cell that says which backend it uses.
func (l Lab) checkKernel(ctx context.Context, _ *GoTool) Check {
	spec, err := notebook.FindSpec(Name, l.DataDir())
	if err != nil {
		return Check{"a cell", Broken, err.Error(), runSetup}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	k, err := notebook.Start(ctx, spec, &notebook.KernelSettings{Dir: l.Root})
	if err != nil {
		return Check{"a cell", Broken, err.Error(), "see " + l.Path("kernel.log")}
	}
	defer k.Close()
	reply, err := k.Execute(ctx, "import \"sgdlab/pkg/backend\"\n\n%%\nfmt.Print(backend.Describe())")
	switch {
	case err != nil:
		return Check{"a cell", Broken, err.Error(), "see " + l.Path("kernel.log")}
	case reply.Status != "ok":
		return Check{"a cell", Broken, notebook.Words(reply), "mend that, or " + runSetup}
	}
	said := "nothing"
	if len(reply.Outputs) > 0 {
		said = reply.Outputs[0].Text
	}
	return Check{"a cell", Good, fmt.Sprintf("after %.1f s: %s", reply.Seconds, said), ""}
}

func (l Lab) checkPython(ctx context.Context, _ *GoTool) Check {
	if _, err := os.Stat(l.Venv("jupyter")); err != nil {
		return Check{"JupyterLab", Poor, "not set up; ./scripts/walk needs none", "./scripts/lab sets it up"}
	}
	out, err := exec.CommandContext(ctx, l.Venv("python"), "-c", "import jupyterlab, platform; print(jupyterlab.__version__, 'on Python', platform.python_version())").CombinedOutput()
	if err != nil {
		return Check{"JupyterLab", Poor, "does not start: " + lastLine(out, err), "remove .lab/venv and run ./scripts/lab"}
	}
	return Check{"JupyterLab", Good, strings.TrimSpace(string(out)), ""}
}
