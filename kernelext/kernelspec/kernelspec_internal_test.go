package kernelspec

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/notebook"
	"sgdlab/kernelext/notebook/wire"
)

// clone makes a folder that looks like a clone of sgdlab with its tools built.
func clone(t *testing.T, dir string) Lab {
	t.Helper()
	lab := Lab{dir}
	write(t, filepath.Join(dir, "go.mod"), "module sgdlab\n\ngo 1.26\n")
	for _, tool := range []string{"gonb", "goimports", "gopls", "sgdlab"} {
		write(t, lab.Tool(tool), "#!/bin/sh\n")
	}
	return lab
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// realTemp returns a temporary folder by its real path, as os.Getwd gives it.
func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWorkspace(t *testing.T) {
	tmp := realTemp(t)
	a, b := clone(t, filepath.Join(tmp, "a")), clone(t, filepath.Join(tmp, "b with space"))
	bare := filepath.Join(tmp, "bare")
	write(t, filepath.Join(bare, "go.mod"), "// a second clone, not set up\nmodule sgdlab\n")
	mine := filepath.Join(tmp, "mine")
	write(t, filepath.Join(mine, "go.mod"), "module \"example.com/mine\"\n")
	nowhere := filepath.Join(tmp, "nowhere")
	for _, dir := range []string{nowhere, filepath.Join(a.Root, "notebooks"), filepath.Join(mine, "sub")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}

	for _, c := range []struct {
		name, dir, recorded string
		modules             []string
		tools               string
		trouble             string
	}{
		{"in the clone", filepath.Join(a.Root, "notebooks"), a.Root, []string{a.Root}, a.Root, ""},
		{"in another clone", b.Root, a.Root, []string{b.Root}, b.Root, ""},
		{"in a clone that is not set up", bare, a.Root, []string{bare}, a.Root, ""},
		{"in a clone, nothing recorded", b.Root, "", []string{b.Root}, b.Root, ""},
		{"in the user's module", filepath.Join(mine, "sub"), a.Root, []string{mine, a.Root}, a.Root, ""},
		{"in no module", nowhere, a.Root, []string{a.Root}, a.Root, ""},
		{"in no module, nothing recorded", nowhere, "", nil, "", "is not in a clone"},
		{"the recorded clone is gone", nowhere, filepath.Join(tmp, "gone"), nil, "", "no clone of sgdlab any more"},
		{"the recorded folder is part of a clone", nowhere, filepath.Join(a.Root, "notebooks"), nil, "", "no clone of sgdlab any more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			modules, lab, err := workspace(c.dir, c.recorded)
			if c.trouble != "" {
				if err == nil || !strings.Contains(err.Error(), c.trouble) {
					t.Errorf("got error %v, want one with %q", err, c.trouble)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(modules, c.modules) || lab.Root != c.tools {
				t.Errorf("got modules %q and tools of %q, want %q and %q", modules, lab.Root, c.modules, c.tools)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	lab := clone(t, realTemp(t))
	t.Chdir(lab.Root)
	t.Setenv("SGDLAB_KERNEL_STDERR", "1")
	t.Setenv("SGDLAB_ROOT", lab.Root)
	t.Setenv("SGDLAB_GO", "/no/such/go")
	t.Setenv("GOWORK", "off")
	t.Setenv("PATH", os.Getenv("PATH"))

	argv, err := plan(t.Context(), []string{"kernel-1.json", "-v=2", "notebook.ipynb"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{lab.Tool("gonb"), "--kernel", "kernel-1.json", "-go_work=" + lab.Root, "-v=2"}
	if !slices.Equal(argv, want) {
		t.Errorf("got %q, want %q", argv, want)
	}
	if first := filepath.SplitList(os.Getenv("PATH"))[:2]; !slices.Equal(first, []string{lab.Path("kernel"), lab.Path("bin")}) {
		t.Errorf("PATH begins with %q, want %s and %s", first, lab.Path("kernel"), lab.Path("bin"))
	}
	write(t, lab.Tool("gopls"), "#!/bin/sh\necho $GOGC \"$@\"\n")
	if err := os.Chmod(lab.Tool("gopls"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gopls", "-listen", "a b").CombinedOutput(); err != nil || string(out) != "40 -listen a b\n" {
		t.Errorf("gopls: got %q, %v", out, err)
	}
	found := os.Getenv("SGDLAB_GO")
	if _, err := os.Stat(found); err != nil {
		t.Errorf("the script for go starts %s", found)
	}
	t.Setenv("SGDLAB_GO", filepath.Join(t.TempDir(), "go"))
	t.Setenv("GOGC", "77")
	write(t, os.Getenv("SGDLAB_GO"), "#!/bin/sh\necho $GOGC \"$@\"\n")
	if err := os.Chmod(os.Getenv("SGDLAB_GO"), 0o755); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"build": "off build -o a b\n", "list": "77 list -o a b\n"} {
		if out, err := exec.Command("go", arg, "-o", "a b").CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("go %s: got %q, %v, want %q", arg, out, err, want)
		}
	}
	t.Setenv("SGDLAB_GO", found)
	if v, set := os.LookupEnv("GOWORK"); set {
		t.Errorf("GOWORK is %q, want it unset: it would hide the go.work of GoNB", v)
	}

	t.Setenv("SGDLAB_RAW_ERRORS", "1")
	if argv, err = plan(t.Context(), []string{"kernel-1.json"}); err != nil || argv[len(argv)-1] != "-raw_error=true" {
		t.Errorf("got %q, %v, want -raw_error=true at the end", argv, err)
	}
}

func TestPlanTrouble(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(t *testing.T, lab Lab)
	}{
		{"a tool is missing", "gonb is missing: run ./scripts/lab", func(t *testing.T, lab Lab) {
			if err := os.Remove(lab.Tool("gonb")); err != nil {
				t.Fatal(err)
			}
		}},
		{"go is too old", "install a newer Go", func(t *testing.T, lab Lab) {
			t.Setenv("GOTOOLCHAIN", "local")
			write(t, filepath.Join(lab.Root, "go.mod"), "module sgdlab\n\ngo 1.999\n")
		}},
		{"go.mod is damaged", "cannot be loaded: ", func(t *testing.T, lab Lab) {
			write(t, filepath.Join(lab.Root, "go.mod"), "module sgdlab\n\nrequire\n")
		}},
		{"no go command", "no go command in PATH: install Go", func(t *testing.T, _ Lab) {
			t.Setenv("PATH", t.TempDir())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := clone(t, realTemp(t))
			t.Chdir(lab.Root)
			t.Setenv("SGDLAB_KERNEL_STDERR", "1")
			t.Setenv("SGDLAB_ROOT", lab.Root)
			t.Setenv("SGDLAB_GO", "")
			c.spoil(t, lab)
			if argv, err := plan(t.Context(), []string{"c.json"}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v, want an error with %q", argv, err, c.want)
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is more than a line: %q", err)
			}
		})
	}

	t.Run("a comma in the path", func(t *testing.T) {
		lab := clone(t, filepath.Join(realTemp(t), "a,b"))
		t.Chdir(lab.Root)
		t.Setenv("SGDLAB_KERNEL_STDERR", "1")
		if _, err := plan(t.Context(), []string{"c.json"}); err == nil || !strings.Contains(err.Error(), "comma") {
			t.Errorf("got %v, want an error about the comma", err)
		}
	})
}

// TestNotice talks to the kernel that stands in for GoNB as a front-end does.
func TestNotice(t *testing.T) {
	const text = "gonb is missing: run ./scripts/lab again"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	connection, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kernel.json")
	if err := connection.Write(file); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serveNotice(ctx, file, text) }()
	client, err := wire.Dial(ctx, connection)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	// ask returns the answer to a request on the channel where it was asked.
	ask := func(ch wire.Channel, kind string) map[string]any {
		t.Helper()
		id, err := client.Send(ch, kind, map[string]any{"code": "x := 1", "restart": true})
		if err != nil {
			t.Fatal(err)
		}
		for {
			select {
			case <-ctx.Done():
				t.Fatalf("no answer to %s", kind)
			case m, ok := <-client.Messages():
				if !ok {
					t.Fatalf("the kernel is gone before it answered %s", kind)
				}
				if m.Err != nil {
					t.Fatal(m.Err)
				}
				if m.Channel != ch || m.Parent.ID != id {
					continue
				}
				if want := strings.Replace(kind, "_request", "_reply", 1); m.Header.Type != want {
					t.Errorf("got a %s, want a %s", m.Header.Type, want)
				}
				var c map[string]any
				if err := json.Unmarshal(m.Content, &c); err != nil {
					t.Fatal(err)
				}
				return c
			}
		}
	}

	if info := ask(wire.Shell, "kernel_info_request"); info["status"] != "ok" || info["banner"] != text {
		t.Errorf("kernel_info: got %v", info)
	}
	for n := 1; n <= 2; n++ {
		reply := ask(wire.Shell, "execute_request")
		if reply["status"] != "error" || reply["evalue"] != text || reply["execution_count"] != float64(n) {
			t.Errorf("execute: got %v, want the error %q with count %d", reply, text, n)
		}
	}
	for _, kind := range []string{"comm_info_request", "complete_request", "inspect_request", "is_complete_request", "history_request"} {
		if reply := ask(wire.Shell, kind); reply["status"] != "ok" && reply["status"] != "complete" {
			t.Errorf("%s: got %v", kind, reply)
		}
	}
	if reply := ask(wire.Control, "interrupt_request"); reply["status"] != "ok" {
		t.Errorf("interrupt: got %v", reply)
	}
	if reply := ask(wire.Control, "shutdown_request"); reply["restart"] != true {
		t.Errorf("shutdown: got %v, want restart as asked", reply)
	}
	if err := <-served; err != nil {
		t.Errorf("after the shutdown: %v", err)
	}
}

func TestNoticeWithoutConnection(t *testing.T) {
	err := serveNotice(t.Context(), filepath.Join(t.TempDir(), "none.json"), "the reason")
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("got %v, want an error with the reason", err)
	}
}

func TestInstall(t *testing.T) {
	lab := clone(t, realTemp(t))
	g := &GoTool{Exe: "/go/bin/go", CGo: true}
	dataDir := filepath.Join(t.TempDir(), "share", "jupyter")
	if err := Install(lab, dataDir, g); err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		spec, err := notebook.ReadSpec(Folder(dataDir, name))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{lab.Tool("sgdlab"), "kernel", "launch", "{connection_file}"}
		if !slices.Equal(spec.Argv, want) || spec.InterruptMode != "message" || spec.Language != "go" || spec.DisplayName != displayNames[name] {
			t.Errorf("%s: got %+v", name, spec)
		}
		for _, logo := range []string{"logo-svg.svg", "logo-64x64.png"} {
			if info, err := os.Stat(filepath.Join(spec.Dir, logo)); err != nil || info.Size() == 0 {
				t.Errorf("%s: no %s: %v", name, logo, err)
			}
		}
		if entries, err := os.ReadDir(spec.Dir); err != nil || len(entries) != 3 {
			t.Errorf("%s: got %v, %v, want three files and no leftovers", name, entries, err)
		}
	}

	removed, err := Uninstall(dataDir)
	if err != nil || len(removed) != 2 {
		t.Errorf("uninstalling: got %q, %v", removed, err)
	}
	if _, err := Uninstall(dataDir); err == nil {
		t.Error("uninstalling twice gives no error")
	}
}

func TestEnv(t *testing.T) {
	lab := clone(t, realTemp(t))
	withC, withoutC := &GoTool{Exe: "/go/bin/go", CGo: true}, &GoTool{Exe: "/go/bin/go"}
	const noXLA, xla = "-ldflags=-s -tags=noxla", "'-ldflags=-s -linkmode=internal'"
	check := func(what, name string, g *GoTool, flags, plugin string) {
		t.Helper()
		env := lab.Env(name, g)
		if env["GOFLAGS"] != flags || env["PJRT_PLUGIN_LIBRARY_PATH"] != plugin {
			t.Errorf("%s: got GOFLAGS %q and plug-in %q, want %q and %q", what, env["GOFLAGS"], env["PJRT_PLUGIN_LIBRARY_PATH"], flags, plugin)
		}
		if c := env["CGO_ENABLED"]; c != "1" && plugin != "" || c != "0" && plugin == "" {
			t.Errorf("%s: got CGO_ENABLED=%s", what, c)
		}
		if env["GOPROXY"] != "off" || env["GOEXPERIMENT"] != "simd" || env["SGDLAB_ROOT"] != lab.Root {
			t.Errorf("%s: got %v", what, env)
		}
	}
	check("no plug-in", Name, withC, noXLA, "")
	write(t, lab.Plugin(), "library")
	check("plug-in", Name, withC, xla, lab.PluginDir())
	check("plug-in, no C compiler", Name, withoutC, noXLA, "")
	check("pure Go", PureGo, withC, noXLA, "")
}

func TestFindLab(t *testing.T) {
	lab := clone(t, realTemp(t))
	deep := filepath.Join(lab.Root, "notebooks", "exercises")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, ok := FindLab(deep); !ok || got != lab {
		t.Errorf("got %v, %v, want %v", got, ok, lab)
	}
	if got, ok := FindLab(realTemp(t)); ok {
		t.Errorf("outside of a clone: got %v", got)
	}
}

func TestDoctorTable(t *testing.T) {
	var b strings.Builder
	if err := WriteTable(&b, []Check{{"Go", Good, "1.26.8", ""}, {"kernels", Broken, "gone", "run setup"}}); err != nil {
		t.Fatal(err)
	}
	want := "ok      Go       1.26.8\nBROKEN  kernels  gone\n                 → run setup\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestDoctorOfBrokenClone: a clone that is not set up is found broken, each time with a remedy.
func TestDoctorOfBrokenClone(t *testing.T) {
	lab := clone(t, realTemp(t))
	broken := map[string]bool{}
	for _, c := range Doctor(t.Context(), lab) {
		broken[c.Name] = c.Status == Broken
		if (c.Status == Good) != (c.Remedy == "") {
			t.Errorf("%s: status %v with the remedy %q", c.Name, c.Status, c.Remedy)
		}
	}
	for _, name := range []string{"tools", "Go modules", "kernels", "a cell"} {
		if !broken[name] {
			t.Errorf("%s is not found broken", name)
		}
	}
	if broken["Go"] || broken["ports"] {
		t.Errorf("what works is found broken: %v", broken)
	}
}
