package notebook_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sgdlab/kernelext/notebook"
)

// startFake starts the fake kernel with temporary files in a folder that must be empty at
// the end.
func startFake(t *testing.T, flaw string, s *notebook.KernelSettings) *notebook.Kernel {
	t.Helper()
	emptyTemp(t)
	k, err := notebook.Start(t.Context(), fake(flaw), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return k
}

// emptyTemp gives the test a TMPDIR and checks that nothing is left there.
func emptyTemp(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nb")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left in TMPDIR: %v, %v", left, err)
		}
		os.RemoveAll(dir)
	})
}

// short describes outputs in one line each.
func short(outputs []*notebook.Output) []string {
	var s []string
	for _, o := range outputs {
		switch o.Type {
		case "stream":
			s = append(s, o.Name+": "+o.Text)
		case "error":
			s = append(s, "error: "+o.Ename+": "+o.Evalue)
		default:
			s = append(s, o.Type+": "+o.Data["text/plain"].(string))
		}
	}
	return s
}

func TestOutputs(t *testing.T) {
	k := startFake(t, "sound", nil)
	if name := k.LanguageInfo()["name"]; name != "fake" {
		t.Errorf("language: got %v", name)
	}
	for i, tt := range []struct {
		name, code string
		want       []string
	}{
		{"nothing", "", nil},
		{"streams are joined", "print a\nstderr b\nprint c\nstderr d", []string{"stdout: a\nc\n", "stderr: b\nd\n"}},
		{"up to a display", "print a\ndisplay - x\nprint b\nresult 3", []string{"stdout: a\n", "display_data: x", "stdout: b\n", "execute_result: 3"}},
		{"error", "print a\nfail v", []string{"stdout: a\n", "error: Trouble: v"}},
		{"updates", "display p 0%\nprint a\nupdate p 50%\nupdate p 100%", []string{"display_data: 100%", "stdout: a\n"}},
		{"an update before its display is lost", "update q 50%\ndisplay q 0%", []string{"display_data: 0%"}},
		{"two displays with one id", "display r 1\ndisplay r 2\nupdate r 3", []string{"display_data: 3", "display_data: 3"}},
		{"clear", "print a\nclear\nprint b", []string{"stdout: b\n"}},
		{"clear at the next output", "print a\nclear wait\nprint b\nprint c", []string{"stdout: b\nc\n"}},
		{"clear with nothing after it", "print a\nclear wait", []string{"stdout: a\n"}},
		{"other people's outputs", "foreign x\nprint a", []string{"stdout: a\n"}},
		{"idle before the reply", "print a\nidlefirst", []string{"stdout: a\n"}},
	} {
		r, err := k.Execute(t.Context(), tt.code)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, short(r.Outputs)); diff != "" {
			t.Errorf("%s: outputs (-want +got):\n%s", tt.name, diff)
		}
		status := "ok"
		if strings.Contains(tt.code, "fail") {
			status = "error"
		}
		if r.Status != status || r.ExecutionCount != i+1 || r.Seconds <= 0 {
			t.Errorf("%s: got status %q, count %d, %g s; want %q, %d", tt.name, r.Status, r.ExecutionCount, r.Seconds, status, i+1)
		}
	}
}

func TestUpdateFromALaterCell(t *testing.T) {
	k := startFake(t, "sound", nil)
	first, err := k.Execute(t.Context(), "display p old")
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.Execute(t.Context(), "update p new")
	if err != nil {
		t.Fatal(err)
	}
	if got := short(first.Outputs); len(got) != 1 || got[0] != "display_data: new" || second.Outputs != nil {
		t.Errorf("got %q and %q, want the first display changed and no second one", got, short(second.Outputs))
	}
}

func TestHugeOutput(t *testing.T) {
	k := startFake(t, "sound", &notebook.KernelSettings{OutputLimit: 100_000})
	r, err := k.Execute(t.Context(), "much 2000\ndisplay - lost\nfail at the end") // 2 MB
	if err != nil {
		t.Fatal(err)
	}
	got := short(r.Outputs)
	if len(got) != 3 || len(got[0]) < 99_900 || len(got[0]) > 100_100 || !strings.Contains(got[1], "cut here") || got[2] != "error: Trouble: at the end" {
		t.Errorf("got %d outputs, the first of %d bytes, then %q; want 100 kB, a note and the error", len(got), len(got[0]), got[1:])
	}
	if r, err = k.Execute(t.Context(), "print next"); err != nil || len(r.Outputs) != 1 {
		t.Errorf("next cell: %v, %v", short(r.Outputs), err)
	}
}

func TestManySmallOutputs(t *testing.T) {
	k := startFake(t, "sound", nil)
	r, err := k.Execute(t.Context(), "much 20000") // 20 MB
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Outputs) != 1 || len(r.Outputs[0].Text) != 20000*1001 {
		t.Errorf("got %d outputs", len(r.Outputs))
	}
}

func TestTimeout(t *testing.T) {
	late := errors.New("too late")
	for _, flaw := range []string{"sound", "signals"} {
		spec := fake(flaw)
		if flaw == "signals" {
			spec.InterruptMode = "signal"
		}
		emptyTemp(t)
		k, err := notebook.Start(t.Context(), spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, late)
		defer cancel()
		r, err := k.Execute(ctx, "print a\nwait")
		if !errors.Is(err, late) || len(r.Outputs) != 2 {
			t.Errorf("%s: got %v, %q; want the cause of the context and two outputs", flaw, err, short(r.Outputs))
		}
		if r, err := k.Execute(t.Context(), "print b"); err != nil || len(r.Outputs) != 1 {
			t.Errorf("%s: after an interrupt: %v", flaw, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCellThatDoesNotStop(t *testing.T) {
	k := startFake(t, "sound", &notebook.KernelSettings{Grace: 100 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := k.Execute(ctx, "print a\ndeaf")
	var death *notebook.DeathError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &death) || len(r.Outputs) != 1 {
		t.Errorf("got %v, %q; want the death of the kernel and the output before it", err, short(r.Outputs))
	}
	if _, err := k.Execute(t.Context(), "print b"); !errors.As(err, &death) {
		t.Errorf("a cell in a dead kernel: got %v, want a DeathError", err)
	}
}

func TestCrash(t *testing.T) {
	k := startFake(t, "sound", nil)
	r, err := k.Execute(t.Context(), "print a\ncrash memory")
	var death *notebook.DeathError
	if !errors.As(err, &death) || death.LastWords != "out of memory" || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("got %v, want the exit status and the last words", err)
	}
	if got := short(r.Outputs); len(got) != 1 {
		t.Errorf("outputs before the crash: got %q", got)
	}
}

func TestLostHeartbeat(t *testing.T) {
	k := startFake(t, "sound", &notebook.KernelSettings{BeatTimeout: time.Second})
	_, err := k.Execute(t.Context(), "freeze")
	var death *notebook.DeathError
	if !errors.As(err, &death) || !strings.Contains(err.Error(), "did not answer for 1s") {
		t.Errorf("got %v, want a DeathError for want of a heartbeat", err)
	}
}

func TestLostIdle(t *testing.T) {
	k := startFake(t, "sound", &notebook.KernelSettings{Grace: 100 * time.Millisecond})
	if r, err := k.Execute(t.Context(), "print a\nnoidle"); err != nil || r.Status != "ok" || len(r.Outputs) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestFailuresAtTheStart(t *testing.T) {
	notThere := fake("sound")
	notThere.Argv = []string{"/nowhere/gonb", "{connection_file}"}
	for _, tt := range []struct {
		name string
		spec *notebook.Spec
		want string
	}{
		{"no program", notThere, "cannot be started"},
		{"ends at once", fake("dies"), "ended at its start: exit status 1; its last words: no compiler here"},
		{"no answer", fake("silent"), "gave no answer within 1s"},
		{"wrong signature", fake("wrong key"), "the signature of a message is wrong"},
	} {
		emptyTemp(t)
		begin := time.Now()
		_, err := notebook.Start(t.Context(), tt.spec, &notebook.KernelSettings{StartTimeout: time.Second})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", tt.name, err, tt.want)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	emptyTemp(t)
	if _, err := notebook.Start(ctx, fake("silent"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// alive reports whether a process runs.
func alive(pid int) bool {
	for range 100 { // until whoever has adopted it has noticed
		if syscall.Kill(pid, 0) != nil {
			return false
		}
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && strings.Contains(string(stat), ") Z ") {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

func TestNoOrphans(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("without /proc, processes in other groups are recognised by their command line only")
	}
	for _, how := range []string{"close", "crash"} {
		k := startFake(t, "sound", nil)
		r, err := k.Execute(t.Context(), "orphan")
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(r.Outputs[0].Text)
		if err != nil {
			t.Fatalf("got %q", short(r.Outputs))
		}
		if how == "crash" {
			if _, err := k.Execute(t.Context(), "crash memory"); err == nil {
				t.Error("a crash without an error")
			}
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if alive(pid) {
			t.Errorf("%s: process %d is left", how, pid)
		}
	}
}

func TestKernelEndsWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process that its parent is gone")
	}
	t.Setenv("TMPDIR", t.TempDir()) // a folder stays behind
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), doomedParent+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, scanErr := fmt.Fscan(out, &pid)
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = parent.Wait() // "signal: killed"
	if scanErr != nil || alive(pid) {
		t.Errorf("process %d is left (%v)", pid, scanErr)
	}
}

func TestKernelThatDoesNotShutDown(t *testing.T) {
	k := startFake(t, "stays", &notebook.KernelSettings{Grace: 100 * time.Millisecond})
	if _, err := k.Execute(t.Context(), "print a"); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func TestParallelKernels(t *testing.T) {
	emptyTemp(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			k, err := notebook.Start(t.Context(), fake("sound"), nil)
			if err != nil {
				t.Error(err)
				return
			}
			for j := range 5 {
				text := strconv.Itoa(i*100 + j)
				if r, err := k.Execute(t.Context(), "print "+text); err != nil || short(r.Outputs)[0] != "stdout: "+text+"\n" {
					t.Errorf("kernel %d, cell %d: %v", i, j, err)
				}
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestEnvironment(t *testing.T) {
	t.Setenv("NB_OUTER", "outer")
	spec := fake("sound")
	for k, v := range map[string]string{
		"NB_A": "x:${NB_OUTER}:$NB_OUTER", "NB_B": "$$ $NB_UNSET ${NB_UNSET} ${} $ ${NB_OUTER", "NB_C": "spec",
	} {
		spec.Env[k] = v
	}
	emptyTemp(t)
	k, err := notebook.Start(t.Context(), spec, &notebook.KernelSettings{Env: map[string]string{"NB_C": "$extra"}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for name, want := range map[string]string{
		"NB_A": "x:outer:outer", "NB_B": "$ $NB_UNSET ${NB_UNSET} ${} $ ${NB_OUTER", "NB_C": "$extra", "NB_OUTER": "outer",
	} {
		if r, err := k.Execute(t.Context(), "env "+name); err != nil || short(r.Outputs)[0] != "stdout: "+want+"\n" {
			t.Errorf("%s: got %q, %v; want %q", name, short(r.Outputs), err, want)
		}
	}
}

func TestSpecs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, "kernels", name, "kernel.json")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("good", `{"argv": ["a", "{connection_file}"], "display_name": "Good", "env": {"A": "b"}}`)
	write("damaged", `{"argv": [`)
	write("empty", `{}`)
	s, err := notebook.FindSpec("good", t.TempDir(), dir)
	if err != nil || s.DisplayName != "Good" || s.Env["A"] != "b" || len(s.Argv) != 2 {
		t.Errorf("got %+v, %v", s, err)
	}
	t.Setenv("JUPYTER_PATH", dir)
	if _, err := notebook.FindSpec("good"); err != nil {
		t.Errorf("by JUPYTER_PATH: %v", err)
	}
	for name, want := range map[string]string{"damaged": "is damaged", "empty": "no command", "missing": `no kernel "missing"`} {
		if _, err := notebook.FindSpec(name, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", name, err, want)
		}
	}
}

// Positions are counted in characters on the wire, in bytes here.
func TestHelpRequests(t *testing.T) {
	k := startFake(t, "sound", nil)
	matches, start, err := k.Complete(t.Context(), "λ;fmt.Pri")
	if err != nil || len(matches) != 1 || matches[0] != "Println" || start != len("λ;fmt.") {
		t.Errorf("completion: got %q from %d, %v", matches, start, err)
	}
	if text, err := k.Inspect(t.Context(), "λ;fmt", len("λ;")); err != nil || text != "help at 2" {
		t.Errorf("help: got %q, %v", text, err)
	}
	if text, err := k.Inspect(t.Context(), "x", 0); err != nil || text != "" {
		t.Errorf("no help: got %q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Inspect(ctx, "x", 0); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
}
