package setup_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/setup"
)

// fakeGo stands in for the go command. It writes its arguments to $FAKE/calls, and fails
// with what is in $FAKE/fail-SUBCOMMAND.
const fakeGo = `#!/bin/sh
echo "go $*" >>"$FAKE/calls"
if [ -e "$FAKE/fail-$1" ]; then
	[ -z "$GOBIN" ] || echo half >"$GOBIN/gonb"
	cat "$FAKE/fail-$1"
	exit 1
fi
case "$1" in
env) echo '{"GOVERSION": "go1.26.8", "GOROOT": "'"$FAKE"'", "CGO_ENABLED": "1", "GOCACHE": "'"$FAKE"'/cache", "GOMODCACHE": "'"$FAKE"'/modcache"}' ;;
list) [ "$3" != -f ] || echo "$FAKE/go-xla" ;;
install) for tool in gonb gopls goimports staticcheck; do echo program >"$GOBIN/$tool"; done ;;
esac
`

// fakePython stands in for python3, of the version 3.11 as it says, with pip and venv.
const fakePython = `#!/bin/sh
echo "python $*" >>"$FAKE/calls"
if [ -e "$FAKE/fail-$3" ]; then
	cat "$FAKE/fail-$3"
	exit 1
fi
case "$1 $2" in
"-c "*) cat "$FAKE/python-version" ;;
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
esac
case "$3" in
install) echo >"$(dirname "$0")/jupyter" ;;
download) while [ "$1" != -d ]; do shift; done; echo "no archive" >"$2/xla.whl" ;;
esac
`

// world is a clone, and a PATH with nothing but stand-ins.
type world struct {
	*testing.T
	lab  kernelspec.Lab
	fake string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, lab: kernelspec.Lab{Root: t.TempDir()}, fake: t.TempDir()}
	for _, f := range []string{"go.mod", "go.sum", "kernelext/tools/go.mod", "kernelext/tools/go.sum", "pkg/noise/noise.go"} {
		w.write(filepath.Join(w.lab.Root, f), "module sgdlab\n")
	}
	w.write(filepath.Join(w.fake, "bin", "go"), fakeGo)
	w.write(filepath.Join(w.fake, "bin", "python3"), fakePython)
	w.write(filepath.Join(w.fake, "python-version"), "3.11\n")
	for _, f := range []string{"LICENSE", "README.md", "pjrt/pjrt.go", "pjrt/pjrt.h", "pjrt/pjrt_test.go", "installer/installer.go", "installer/download.go", "internal/cmd/x/main.go"} {
		w.write(filepath.Join(w.fake, "go-xla", f), "original")
	}
	for _, program := range []string{"sh", "cat", "mkdir", "cp", "dirname"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(w.fake, "bin", program)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FAKE", w.fake)
	t.Setenv("PATH", filepath.Join(w.fake, "bin"))
	return w
}

func (w *world) write(path, text string) {
	w.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		w.Fatal(err)
	}
}

// fail makes a subcommand fail with text, or succeed again if text is empty.
func (w *world) fail(subcommand, text string) {
	w.Helper()
	path := filepath.Join(w.fake, "fail-"+subcommand)
	if text != "" {
		w.write(path, text)
	} else if err := os.Remove(path); err != nil {
		w.Fatal(err)
	}
}

// run sets up and returns what was said and which programs were called.
func (w *world) run(s setup.Settings) (said, calls string, err error) {
	w.Helper()
	w.write(filepath.Join(w.fake, "calls"), "")
	var out bytes.Buffer
	s.Out = &out
	err = setup.Run(w.Context(), w.lab, s)
	b, e := os.ReadFile(filepath.Join(w.fake, "calls"))
	if e != nil {
		w.Fatal(e)
	}
	if err != nil && strings.Contains(err.Error(), "\n") {
		w.Errorf("the error is more than one line: %q", err)
	}
	return out.String(), string(b), err
}

func (w *world) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// leftovers returns the temporary files and folders in .lab.
func (w *world) leftovers() (found []string) {
	filepath.WalkDir(w.lab.Path(), func(path string, _ fs.DirEntry, _ error) error {
		if name := filepath.Base(path); strings.HasPrefix(name, "tools-") || strings.HasPrefix(name, "xla-") || strings.Contains(name, ".new") {
			found = append(found, path)
		}
		return nil
	})
	return found
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	said, calls, err := w.run(setup.Settings{XLA: setup.XLALeftOut})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"go mod download", "go install tool", "go build ./pkg/..."} {
		if !strings.Contains(calls, want) {
			t.Errorf("%q was not called; calls:\n%s", want, calls)
		}
	}
	for _, want := range []string{"Go modules", "tools", "build cache of the kernel sgdlab"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing was said of %q:\n%s", want, said)
		}
	}
	for _, path := range []string{w.lab.Tool("gonb"), w.lab.Tool("staticcheck"), filepath.Join(kernelspec.Folder(w.lab.DataDir(), kernelspec.PureGo), "kernel.json")} {
		if !w.exists(path) {
			t.Errorf("%s is missing", path)
		}
	}
	if l := w.leftovers(); l != nil {
		t.Errorf("left behind: %q", l)
	}

	for path, want := range map[string]bool{"LICENSE": true, "pjrt/pjrt.go": true, "pjrt/pjrt.h": true, "pjrt/pjrt_test.go": false,
		"installer/installer.go": true, "installer/download.go": false, "internal/cmd": false, "README.md": false} {
		if got := w.exists(filepath.Join(w.lab.GoXLA(), path)); got != want {
			t.Errorf("the copy of go-xla: %s is there: %v, want %v", path, got, want)
		}
	}

	again := func(what string, s setup.Settings, want string) {
		t.Helper()
		said, calls, err := w.run(s)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && (said != "" || strings.Contains(calls, "install") || strings.Contains(calls, "build")) {
			t.Errorf("%s: something was done:\n%s%s", what, said, calls)
		}
		if !strings.Contains(calls, want) {
			t.Errorf("%s: %q was not called; calls:\n%s", what, want, calls)
		}
	}
	again("a second run", setup.Settings{}, "")
	w.write(filepath.Join(w.lab.Root, "pkg/noise/more.go"), "package noise\n")
	again("a changed library", setup.Settings{}, "go build ./pkg/...")
	again("after that", setup.Settings{}, "")
	if err := os.Remove(w.lab.Tool("gopls")); err != nil {
		t.Fatal(err)
	}
	again("a tool is gone", setup.Settings{}, "go install tool")
	w.write(filepath.Join(w.lab.Root, "go.mod"), "module sgdlab\n\n// changed\n")
	again("a changed go.mod", setup.Settings{}, "go mod download")
	again("after all", setup.Settings{}, "")
}

func TestBrokenDownload(t *testing.T) {
	for _, c := range []struct{ subcommand, said, want string }{
		{"install", "go: example.com/x@v1.2.3: Get \"https://p\": dial tcp: lookup p: no such host", "connect to the network"},
		{"mod", "go: writing stat cache: write /x: no space left on device", "the disk is full: free about 3 GB"},
		{"mod", "go: example.com/x@v1.2.3: module lookup disabled by GOPROXY=off", "unset GOPROXY"},
		{"mod", "verifying example.com/x@v1.2.3: checksum mismatch\n\nSECURITY ERROR", "recorded checksum"},
		{"install", "open /x/gonb: permission denied", "writable"},
		{"install", "first line\nthe compiler is unhappy", "failed: the compiler is unhappy"},
		{"build", "write /tmp/x: no space left on device", "the disk is full"},
	} {
		t.Run(c.subcommand+": "+c.want, func(t *testing.T) {
			w := newWorld(t)
			w.fail(c.subcommand, c.said)
			_, _, err := w.run(setup.Settings{XLA: setup.XLALeftOut})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if c.subcommand != "build" && w.exists(w.lab.Tool("gonb")) {
				t.Error("a half-built tool was installed")
			}
			if l := w.leftovers(); l != nil {
				t.Errorf("left behind: %q", l)
			}
			w.fail(c.subcommand, "")
			if _, _, err := w.run(setup.Settings{}); err != nil || !w.exists(w.lab.Tool("gonb")) {
				t.Errorf("the next run does not mend it: %v", err)
			}
		})
	}
}

// TestLibraryDoesNotCompile: who breaks the library still gets JupyterLab to mend it.
func TestLibraryDoesNotCompile(t *testing.T) {
	w := newWorld(t)
	w.fail("build", "pkg/noise/noise.go:1:1: syntax error")
	said, _, err := w.run(setup.Settings{XLA: setup.XLALeftOut})
	if err != nil || !strings.Contains(said, "does not compile") || !strings.Contains(said, "syntax error") {
		t.Errorf("got %v, said:\n%s", err, said)
	}
}

func TestXLA(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("there is no plug-in for this platform")
	}
	w := newWorld(t)
	count := func(calls string) int { return strings.Count(calls, " download --quiet") }

	// The stand-in for pip delivers something that is no wheel.
	said, calls, err := w.run(setup.Settings{})
	if err != nil || count(calls) != 1 || !strings.Contains(said, "XLA is left out") || strings.Count(said, "XLA") != 2 {
		t.Errorf("a damaged wheel: got %v after %d downloads, said:\n%s", err, count(calls), said)
	}
	if w.lab.HasPlugin() || w.leftovers() != nil {
		t.Errorf("a damaged wheel left something behind: %q", w.leftovers())
	}
	if _, calls, err := w.run(setup.Settings{}); err != nil || count(calls) != 0 {
		t.Errorf("the next run: got %v and %d downloads, want none", err, count(calls))
	}
	if _, calls, err := w.run(setup.Settings{XLA: setup.XLARequired}); err == nil || count(calls) != 1 {
		t.Errorf("required: got %v after %d downloads, want an error after one", err, count(calls))
	}

	// A plug-in that is there and not wanted goes, and stays away.
	w.write(w.lab.Plugin(), "library")
	if _, _, err := w.run(setup.Settings{XLA: setup.XLALeftOut}); err != nil || w.lab.HasPlugin() {
		t.Errorf("left out: got %v, plug-in there: %v", err, w.lab.HasPlugin())
	}
	w.write(filepath.Join(w.lab.Root, "go.mod"), "module sgdlab\n\n// changed\n")
	if _, calls, err := w.run(setup.Settings{}); err != nil || count(calls) != 0 {
		t.Errorf("left out before: got %v and %d downloads, want none", err, count(calls))
	}

	w.fail("--version", "No module named pip")
	_, _, err = w.run(setup.Settings{XLA: setup.XLARequired})
	if err == nil || !strings.Contains(err.Error(), "python3-pip") {
		t.Errorf("no pip: got %v", err)
	}
	if err := os.Remove(filepath.Join(w.fake, "bin", "python3")); err != nil {
		t.Fatal(err)
	}
	if _, _, err = w.run(setup.Settings{XLA: setup.XLARequired}); err == nil || !strings.Contains(err.Error(), "python3 with pip") {
		t.Errorf("no Python: got %v", err)
	}
}

func TestPython(t *testing.T) {
	w := newWorld(t)
	python := setup.Settings{XLA: setup.XLALeftOut, Python: true}
	try := func(what, want string) {
		t.Helper()
		if _, _, err := w.run(python); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", what, err, want)
		}
		if w.exists(w.lab.Path("venv")) {
			t.Errorf("%s: a half-made environment was left behind", what)
		}
	}
	w.write(filepath.Join(w.fake, "python-version"), "old 3.8\n")
	try("old Python", "is 3.8: install a newer one")
	w.write(filepath.Join(w.fake, "python-version"), "3.11\n")
	w.fail("install", "ERROR: Could not find a version: NewConnectionError: Temporary failure in name resolution")
	try("no network", "connect to the network")
	w.fail("install", "")

	if _, _, err := w.run(python); err != nil {
		t.Fatal(err)
	}
	settings := w.lab.Path("venv/share/jupyter/lab/settings/overrides.json")
	if !w.exists(w.lab.Venv("jupyter")) || !w.exists(settings) {
		t.Error("the environment is not complete")
	}
	w.write(settings, "{}") // of an older version
	if _, calls, err := w.run(python); err != nil || strings.Contains(calls, "venv") {
		t.Errorf("the next run: got %v, calls:\n%s", err, calls)
	}
	if got, err := os.ReadFile(settings); err != nil || !strings.Contains(string(got), "Markdown Preview") {
		t.Errorf("JupyterLab's settings are %s, %v", got, err)
	}

	if err := errors.Join(os.RemoveAll(w.lab.Path("venv")), os.Remove(filepath.Join(w.fake, "bin", "python3"))); err != nil {
		t.Fatal(err)
	}
	try("no Python", "no python3 in PATH")
}

func ExampleRun() {
	lab, ok := kernelspec.FindLab(".")
	if !ok {
		log.Fatal("not in a clone of sgdlab")
	}
	// Everything but JupyterLab; nothing, if it is there already.
	if err := setup.Run(context.Background(), lab, setup.Settings{Out: os.Stdout}); err != nil {
		log.Fatal(err)
	}
}
