package cached_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

// long is a cell that trains for some seconds and keeps the result; it is stopped by the
// interrupt button, and goes on from its checkpoint when it is run again.
const long = `import (
	"sgdlab/kernelext/cached"
	"sgdlab/kernelext/show"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
	"os"
	"time"
)

func settings() sgd.Settings {
	return sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 1, Epochs: 400, Seed: 7}
}

func train() ([]float64, error) {
	s, first := settings(), true
	s.Checkpoint = sgd.Checkpoint{Path: %q, Objective: "T1"}
	s.Record = func(step sgd.Step) error {
		if first {
			fmt.Println("begins at step", step.Step)
			show.Check(os.WriteFile(%q, nil, 0o666))
		}
		first = false
		time.Sleep(20 * time.Millisecond)
		return nil
	}
	r, err := sgd.Run(show.Context(), problem.T1(), []float64{1, 1}, s)
	if err != nil {
		return nil, err
	}
	return r.X, nil
}

%%%%
x := show.Must(cached.Value("long training", settings(), train))
fmt.Printf("ends at %%x %%x\n", x[0], x[1])`

// TestInterrupt: a long cell stops at once and loses nothing; the second run of the cell
// continues, a third one reads the value, also in another kernel.
func TestInterrupt(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for ten seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "t1.checkpoint")
	begun := filepath.Join(dir, "begun")
	cell := fmt.Sprintf(long, file, begun)
	settings := notebook.KernelSettings{Env: map[string]string{"SGDLAB_CACHE": filepath.Join(dir, "values")}}
	k := kerneltest.Start(t, kernelspec.PureGo, settings)

	interrupted := make(chan time.Time, 1)
	go func() {
		for range 1200 { // two minutes, for slow machines
			if _, err := os.Stat(begun); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		interrupted <- time.Now()
		if err := k.Interrupt(); err != nil {
			t.Error(err)
		}
	}()
	reply := kerneltest.Execute(t, k, cell)
	took := time.Since(<-interrupted)
	t.Logf("stopped %v after the interrupt", took.Round(time.Millisecond))
	if reply.Status != "error" || !strings.Contains(kerneltest.Text(reply), "Interrupted") {
		t.Errorf("the interrupted cell ends with %q:\n%s", reply.Status, kerneltest.Text(reply))
	}
	if took >= 2*time.Second { // usually some milliseconds; show.Context would end it after 1.5 s, GoNB after 5
		t.Errorf("the cell was stopped %v after the interrupt", took)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("no checkpoint: %v", err)
	}

	want, err := sgd.Run(t.Context(), problem.T1(), []float64{1, 1}, sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 1, Epochs: 400, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	end := fmt.Sprintf("ends at %x %x\n", want.X[0], want.X[1])
	second := kerneltest.Text(kerneltest.Run(t, k, cell))
	_, after, _ := strings.Cut(second, "begins at step ")
	number, _, _ := strings.Cut(after, "\n")
	if n, err := strconv.Atoi(number); err != nil || n < 5 || !strings.HasSuffix(second, end) {
		t.Errorf("the second run says\n%swant it to go on and to end as an undisturbed one, which %s", second, end)
	}
	for _, k := range []*notebook.Kernel{k, kerneltest.Start(t, kernelspec.PureGo, settings)} {
		if got := kerneltest.Text(kerneltest.Run(t, k, cell)); got != end {
			t.Errorf("a later run says\n%swant only\n%s", got, end)
		}
	}
}

// TestTwoKernels: two kernels that need the same value at once compute it once; List shows
// it to both, and Clear forgets it for both.
func TestTwoKernels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := notebook.KernelSettings{Env: map[string]string{"SGDLAB_CACHE": filepath.Join(dir, "values")}}
	mark := filepath.Join(dir, "mark")
	cell := fmt.Sprintf(`import (
	"os"
	"sgdlab/kernelext/cached"
	"sgdlab/kernelext/show"
	"time"
)

func slow() (float64, error) {
	f, err := os.OpenFile(%q, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	time.Sleep(time.Second)
	_, err = f.WriteString("computed\n")
	return 1.0 / 3, err
}

%%%%
fmt.Printf("%%x\n", show.Must(cached.Value("slow", 1, slow)))`, mark)
	kernels := []*notebook.Kernel{kerneltest.Start(t, kernelspec.PureGo, settings), kerneltest.Start(t, kernelspec.PureGo, settings)}
	said := make([]string, len(kernels))
	all := func(code string) {
		t.Helper()
		var wg sync.WaitGroup
		for i, k := range kernels {
			wg.Go(func() {
				if r, err := k.Execute(t.Context(), code); err != nil || r.Status != "ok" {
					t.Errorf("%v: %s", err, notebook.Words(r))
				} else {
					said[i] = r.Outputs[len(r.Outputs)-1].Text
				}
			})
		}
		wg.Wait()
	}
	times := func() int {
		b, err := os.ReadFile(mark)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "computed")
	}
	all(cell)
	if want := fmt.Sprintf("%x\n", 1.0/3); !strings.HasSuffix(said[0], want) || !strings.HasSuffix(said[1], want) || times() != 1 {
		t.Errorf("the kernels say %q after %d computations; want %q after one", said, times(), want)
	}
	all("%%\nfor _, e := range show.Must(cached.List()) {\n\tfmt.Println(e.Name, e.Type)\n}")
	for _, s := range said {
		if s != "slow float64\n" {
			t.Errorf("List says %q", s)
		}
	}
	kerneltest.Run(t, kernels[0], "%%\nshow.Check(cached.Clear(\"slow\"))")
	kerneltest.Run(t, kernels[1], cell)
	if times() != 2 {
		t.Errorf("after Clear there were %d computations, want a second one", times())
	}
}
