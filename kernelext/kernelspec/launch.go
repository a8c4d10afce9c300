package kernelspec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Launch is the process that Jupyter starts: args are the connection file and flags for
// GoNB; arguments that are neither (`jupyter run FILE` appends FILE, which GoNB refuses)
// are dropped. In a folder of a clone it is that clone's code that cells import; elsewhere
// the code of the clone that installed the kernel, beside the module that holds the folder,
// if any.
//
// The process becomes GoNB, so Launch returns only if that fails. GoNB's log goes to
// .lab/kernel.log, unless SGDLAB_KERNEL_STDERR is set; with SGDLAB_RAW_ERRORS compiler
// errors come as plain text instead of HTML. If a cell could not work, Launch serves the kernel itself until it is shut down,
// and answers each cell with one sentence that says why and what to do.
func Launch(ctx context.Context, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return errors.New("kernelspec: the connection file is missing; Jupyter starts this command, see `jupyter kernelspec list`")
	}
	argv, err := plan(ctx, args)
	if err == nil {
		err = syscall.Exec(argv[0], argv, os.Environ())
	}
	return serveNotice(ctx, args[0], err.Error())
}

// plan returns GoNB's command line and sets the environment for it, or an error for the
// user's eyes.
func plan(ctx context.Context, args []string) ([]string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("the notebook's folder is gone: %w", err)
	}
	modules, lab, err := workspace(dir, os.Getenv("SGDLAB_ROOT"))
	if err != nil {
		return nil, err
	}
	if os.Getenv("SGDLAB_KERNEL_STDERR") == "" {
		logTo(lab.Path("kernel.log"))
	}

	var g *GoTool
	for _, root := range modules {
		if strings.Contains(root, ",") {
			return nil, fmt.Errorf("the path %s has a comma, which GoNB takes for a separator: rename the folder", root)
		}
		if g, err = FindGo(ctx, root, os.Getenv("SGDLAB_GO")); err != nil {
			return nil, err
		}
	}
	for _, tool := range []string{"gonb", "goimports", "gopls"} {
		if _, err := os.Stat(lab.Tool(tool)); err != nil {
			return nil, fmt.Errorf("%s is missing: run ./scripts/lab in %s again", lab.Tool(tool), lab.Root)
		}
	}
	os.Unsetenv("GOWORK") // GoNB makes a go.work of its own for each kernel
	path := []string{filepath.Dir(lab.Tool("gonb")), filepath.Dir(g.Exe), os.Getenv("PATH")}
	if dir, ok := writeScripts(lab); ok {
		path = append([]string{dir}, path...)
		if err := os.Setenv("SGDLAB_GO", g.Exe); err != nil {
			return nil, err
		}
	}
	if err := os.Setenv("PATH", strings.Join(path, string(os.PathListSeparator))); err != nil {
		return nil, err
	}

	if withXLA(os.Getenv("PJRT_PLUGIN_LIBRARY_PATH"), lab) {
		modules = append(modules, lab.GoXLA())
	}
	argv := []string{lab.Tool("gonb"), "--kernel", args[0], "-go_work=" + strings.Join(modules, ",")}
	if os.Getenv("SGDLAB_RAW_ERRORS") != "" {
		argv = append(argv, "-raw_error=true")
	}
	return slices.AppendSeq(argv, func(yield func(string) bool) {
		for _, a := range args[1:] {
			if strings.HasPrefix(a, "-") && !yield(a) {
				return
			}
		}
	}), nil
}

// scripts by which GoNB starts two tools:
//
//   - Collecting its garbage more often halves gopls' memory and costs hardly any time, and its
//     telemetry process would take 100 MB more (2 is what it tells its own children, which do
//     without).
//   - Compiler and linker of a cell end before their garbage matters: without collections they
//     need a tenth less time, and 25 MB more. The limit is for whole packages.
var scripts = map[string]string{
	"gopls": `#!/bin/sh
export GOGC=40 GO_TELEMETRY_CHILD=2
exec "${0%/*}/../bin/gopls" "$@"
`,
	"go": `#!/bin/sh
[ "$1" != build ] || export GOGC=off GOMEMLIMIT=400MiB
exec "$SGDLAB_GO" "$@"
`,
}

// writeScripts returns the folder that holds the scripts. It is not ok where they cannot be
// written; then the tools run as they are.
func writeScripts(lab Lab) (dir string, ok bool) {
	dir = lab.Path("kernel")
	for name, text := range scripts {
		path := filepath.Join(dir, name)
		if old, err := os.ReadFile(path); err == nil && string(old) == text {
			continue
		}
		// Complete and executable from the first moment: another kernel may be starting.
		fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
		defer os.Remove(fresh)
		if os.MkdirAll(dir, 0o755) != nil || os.WriteFile(fresh, []byte(text), 0o755) != nil || os.Rename(fresh, path) != nil {
			return "", false
		}
	}
	return dir, true
}

// workspace returns the modules that cells of a notebook in dir can import, as folders, and
// the Lab whose tools serve them. recorded is the clone that installed the kernel.
func workspace(dir, recorded string) (modules []string, lab Lab, err error) {
	root, path := enclosingModule(dir)
	if path == modulePath {
		lab = Lab{root}
		if _, err := os.Stat(lab.Tool("gonb")); err != nil && recorded != "" {
			lab = Lab{recorded} // a second clone that is not set up
		}
		return []string{root}, lab, nil
	}
	if recorded == "" {
		return nil, Lab{}, fmt.Errorf("%s is not in a clone of sgdlab, and the kernel does not know one: run ./scripts/lab in a clone", dir)
	}
	lab, ok := FindLab(recorded)
	if !ok || lab.Root != recorded {
		return nil, Lab{}, fmt.Errorf("%s, which installed this kernel, is no clone of sgdlab any more: run ./scripts/lab in a clone", recorded)
	}
	if root != "" {
		modules = append(modules, root)
	}
	return append(modules, recorded), lab, nil
}

// maxLog is the size at which kernel.log is begun afresh.
const maxLog = 4 << 20

// logTo sends this process's standard error to the file at path: GoNB writes lines for each
// cell there, which would fill the terminal. If that fails they do.
func logTo(path string) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	_ = duplicate(int(f.Fd()), int(os.Stderr.Fd()))
}
