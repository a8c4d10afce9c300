package experiment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/experiment"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/sgd/snapshot"
)

// shortChain is a chain of a tenth of a second: 400 images, batches of 64, 6 steps an epoch.
func shortChain() experiment.ChainSettings {
	return experiment.ChainSettings{
		Training: sgd.Settings{
			LearningRate: sgd.Constant(0.01), Momentum: sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9},
			BatchSize: 64, Sampling: noise.Reshuffled, Epochs: 50, Seed: 3,
		},
		BurnIn: 5, BurnInRate: 0.1, Samples: 400,
	}
}

func chains(folder string, c ...experiment.ChainSettings) experiment.TrajectoriesSettings {
	return experiment.TrajectoriesSettings{Chains: c, Folder: folder}
}

func mustTrajectories(t *testing.T, s experiment.TrajectoriesSettings) *experiment.TrajectoriesResult {
	t.Helper()
	r, err := experiment.Trajectories(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The recorded chain against a plain loop on another engine: the float64 reference, so that
// the difference is that of float32 gradients over 55 epochs.
func TestTrajectoriesAgainstALoop(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		c := shortChain()
		c.Frozen = frozen
		folder := t.TempDir()
		r := mustTrajectories(t, chains(folder, c))
		if n := r.Numbers.Chains[0]; n.Epochs != 50 || n.Steps != 300 || n.Samples != 400 || n.Status != "finished" || n.Name != c.Name() {
			t.Errorf("got %+v", n)
		}

		train, _, err := dataset.MNIST7()
		if err != nil {
			t.Fatal(err)
		}
		idx := make([]int, 400)
		for i := range idx {
			idx[i] = i
		}
		data := train.Digits(0, 1, 2, 3, 4).Subset(idx)
		x, stats := network.TinyFC().Init(rand.NewPCG(3, 0))
		chain, err := network.NewTinyChain(data, stats, &network.TinyChainSettings{Portable: true})
		if err != nil {
			t.Fatal(err)
		}
		var epochs []snapshot.Epoch // with the numbers of the loop
		loop := func(n int, eta float64, seed uint64) {
			sampler := noise.NewSampler(noise.Reshuffled, 400, 64, rand.NewPCG(seed, 1))
			g, v := make([]float64, 917), make([]float64, 917)
			for range n {
				var numbers [3]float64
				for range 6 {
					loss, err := chain.BatchGradTo(g, x, sampler.Next(nil))
					if err != nil {
						t.Fatal(err)
					}
					numbers[0] += loss / 6
					for i := range x {
						numbers[1] += g[i] * g[i] / 6
						numbers[2] += x[i] * g[i] / 6
						v[i] = 0.9*v[i] + g[i]
						x[i] -= eta * v[i]
					}
				}
				full, err := chain.GradTo(context.Background(), g, x)
				if err != nil {
					t.Fatal(err)
				}
				e := snapshot.Epoch{Numbers: append(numbers[:], full)}
				for i := range x {
					e.Weights, e.Gradient = append(e.Weights, float32(x[i])), append(e.Gradient, float32(g[i]))
				}
				epochs = append(epochs, e)
			}
		}
		loop(5, 0.1, 3+1<<32)
		if frozen {
			if chain, err = network.NewTinyChain(data, chain.Stats(), &network.TinyChainSettings{Frozen: true, Portable: true}); err != nil {
				t.Fatal(err)
			}
		}
		epochs = nil
		loop(50, 0.01, 3)

		file := mustOpen(t, c.Path(folder))
		if h := file.Header(); h.Value("sampling") != "reshuffled" || h.Value("seed") != "3" || (h.Stats != nil) != frozen {
			t.Errorf("got the header %+v", h)
		}
		if file.Epochs() != 50 || file.Damage() != nil {
			t.Fatalf("%d epochs, %v", file.Epochs(), file.Damage())
		}
		err = file.Each(0, 50, func(got snapshot.Epoch) error {
			want := epochs[got.Epoch-1]
			for i := range want.Weights {
				if d := math.Abs(float64(got.Weights[i] - want.Weights[i])); d > 1e-5 {
					return fmt.Errorf("epoch %d: weight %d is %v, want %v", got.Epoch, i, got.Weights[i], want.Weights[i])
				}
				if d := math.Abs(float64(got.Gradient[i] - want.Gradient[i])); d > 1e-5 {
					return fmt.Errorf("epoch %d: gradient %d is %v, want %v", got.Epoch, i, got.Gradient[i], want.Gradient[i])
				}
			}
			numtest.CloseSlice(t, fmt.Sprintf("numbers of epoch %d", got.Epoch), got.Numbers, want.Numbers, 1e-5)
			return nil
		})
		if err != nil {
			t.Errorf("frozen %v: %v", frozen, err)
		}
	}
}

func mustOpen(t *testing.T, path string) *snapshot.Reader {
	t.Helper()
	r, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Canceled again and again, with several chains at a time: the same files as in one go, and
// a longer run of the same settings begins with the same bytes.
func TestTrajectoriesResume(t *testing.T) {
	one, two := shortChain(), shortChain()
	one.Training.Epochs, two.Training.Epochs = 200, 200
	two.Training.Sampling, two.Training.Momentum, two.Frozen = noise.IndexWalk, sgd.Momentum{}, true
	whole := t.TempDir()
	mustTrajectories(t, chains(whole, one, two))

	pieces := t.TempDir()
	var err error
	stops := 0
	for i := range 200 { // longer and longer, to get on even where the machine is busy
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(10+5*i)*time.Millisecond)
		s := chains(pieces, one, two)
		s.Workers = 2
		_, err = experiment.Trajectories(ctx, s)
		cancel()
		if err == nil {
			break
		}
		stops++
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if err != nil || stops == 0 {
		t.Fatalf("stopped %d times: %v", stops, err)
	}
	for _, c := range []experiment.ChainSettings{one, two} {
		if !bytes.Equal(mustRead(t, c.Path(whole)), mustRead(t, c.Path(pieces))) {
			t.Errorf("%s: resumed, the file differs", c.Name())
		}
	}

	long := one
	long.Training.Epochs = 210
	r := mustTrajectories(t, chains(pieces, long))
	if n := r.Numbers.Chains[0].Epochs; n != 210 {
		t.Errorf("got %d epochs, want 210", n)
	}
	if !bytes.HasPrefix(mustRead(t, long.Path(pieces)), mustRead(t, one.Path(whole))) {
		t.Error("the longer run does not begin like the shorter one")
	}
}

// killed is what TestTrajectoriesAfterKill gives to the child processes that it kills.
var killed = flag.String("killed", "", "a chain and its folder as JSON: be the child process of TestTrajectoriesAfterKill")

func TestMain(m *testing.M) {
	flag.Parse()
	if *killed == "" {
		os.Exit(m.Run())
	}
	var s experiment.TrajectoriesSettings
	err := json.Unmarshal([]byte(*killed), &s)
	if err == nil {
		s.Chains[0].Training.Checkpoint.Every = 5 * time.Millisecond
		s.Folder = os.Getenv("FOLDER")
		_, err = experiment.Trajectories(context.Background(), s)
	}
	fmt.Println("the child ended:", err)
	os.Exit(1)
}

// A process that is killed with SIGKILL at random moments leaves a file of whole epochs and
// at most one torn one behind them; resumed, it ends with the bytes of a run in one go.
func TestTrajectoriesAfterKill(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) // random moments on purpose
	momenta := []sgd.Momentum{{}, {Kind: sgd.HeavyBall, Mu: 0.9}, {Kind: sgd.Nesterov, Mu: 0.9}, {}}
	for i, sampling := range []noise.Sampling{noise.WithReplacement, noise.WithoutReplacement, noise.Reshuffled, noise.IndexWalk} {
		t.Run(sampling.String(), func(t *testing.T) {
			if testing.Short() && i > 0 {
				t.Skip("one scheme will do")
			}
			t.Parallel()
			c := shortChain()
			c.Training.Sampling, c.Training.Momentum, c.Training.Epochs = sampling, momenta[i], 2000
			c.Frozen = i == 1
			whole, folder := t.TempDir(), t.TempDir()
			mustTrajectories(t, chains(whole, c))
			want := mustRead(t, c.Path(whole))

			argument, err := json.Marshal(chains("", c))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var before int64
				if info, err := os.Stat(c.Path(folder)); err == nil {
					before = info.Size()
				}
				child := exec.Command(os.Args[0], "-killed="+string(argument))
				child.Env = append(os.Environ(), "FOLDER="+folder)
				var output bytes.Buffer
				child.Stdout = &output
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
					if info, err := os.Stat(c.Path(folder)); err == nil && info.Size() > before+10_000 {
						break
					}
					if time.Now().After(deadline) {
						break // the child is killed and the test fails below
					}
				}
				time.Sleep(time.Duration(rng.IntN(10_000)) * time.Microsecond)
				child.Process.Kill()
				child.Wait()
				if output.Len() != 0 {
					t.Fatalf("the child ended before it was killed: %s", output.Bytes())
				}
				r := mustOpen(t, c.Path(folder))
				info, err := os.Stat(c.Path(folder))
				if err != nil || r.Epochs() == 0 || info.Size() == before || !bytes.HasPrefix(want, mustRead(t, c.Path(folder))) {
					t.Fatalf("after a kill: %d good epochs in %d bytes, %v", r.Epochs(), info.Size(), r.Damage())
				}
			}
			mustTrajectories(t, chains(folder, c))
			if !bytes.Equal(mustRead(t, c.Path(folder)), want) {
				t.Error("after two kills the file differs from that of a run in one go")
			}
		})
	}
}

// A chain that diverges ends, says where, keeps what it has, and does not stop the others.
func TestTrajectoriesDivergence(t *testing.T) {
	bad, good := shortChain(), shortChain()
	bad.Training.LearningRate, bad.Frozen = sgd.Piecewise(sgd.Piece{Epoch: 0, Rate: 0.01}, sgd.Piece{Epoch: 10, Rate: 1e15}), true
	folder := t.TempDir()
	for range 2 { // the second time from the files
		r := mustTrajectories(t, chains(folder, bad, good))
		b, g := r.Numbers.Chains[0], r.Numbers.Chains[1]
		if b.Status != "diverged" || b.Epochs < 10 || b.Epochs > 12 || !strings.Contains(b.Message, fmt.Sprintf("diverged at step %d with learning rate 1e+15", b.Steps+1)) {
			t.Errorf("got %+v", b)
		}
		if g.Status != "finished" || g.Message != "" {
			t.Errorf("got %+v", g)
		}
		file := mustOpen(t, bad.Path(folder))
		if file.Epochs() != b.Epochs || file.Damage() != nil {
			t.Errorf("%d epochs in the file, %v", file.Epochs(), file.Damage())
		}
	}
}

func TestTrajectoriesForeignFiles(t *testing.T) {
	c := shortChain()
	c.Training.Epochs = 4
	folder := t.TempDir()
	mustTrajectories(t, chains(folder, c))
	remove := func(kinds ...string) {
		for _, kind := range kinds {
			if err := os.Remove(filepath.Join(folder, c.Name()+"."+kind)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	refused := func(c experiment.ChainSettings, want string) {
		t.Helper()
		_, err := experiment.Trajectories(context.Background(), chains(folder, c))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one sentence with %q", err, want)
		}
	}
	other := c
	other.BurnIn = 6
	refused(other, "was left by a run with other settings")
	remove("json")
	other.BurnIn = 4
	refused(other, "it is at step 30, this run ends at step 24")
	remove("burnin.sgd")
	refused(other, `its burn-in is "5 epochs at 0.1", this run's "4 epochs at 0.1"`)
	other = c
	other.Samples = 399
	refused(other, "its objective is")

	// Truncated behind the checkpoint's back.
	remove("json")
	path := c.Path(folder)
	if err := os.Truncate(path, int64(len(mustRead(t, path)))-10_000); err != nil {
		t.Fatal(err)
	}
	if r := mustOpen(t, path); r.Epochs() != 2 || r.Damage() == nil {
		t.Errorf("truncated: %d epochs, %v", r.Epochs(), r.Damage())
	}
	c.Training.Epochs = 5
	refused(c, "ends with epoch 2, the run goes on with epoch 5: remove the checkpoint")
	remove("sgd")
	mustTrajectories(t, chains(folder, c))
	if r := mustOpen(t, path); r.Epochs() != 5 || r.Damage() != nil {
		t.Errorf("run again: %d epochs, %v", r.Epochs(), r.Damage())
	}
}

func TestTrajectoriesSettings(t *testing.T) {
	for want, change := range map[string]func(*experiment.TrajectoriesSettings){
		"no chains":               func(s *experiment.TrajectoriesSettings) { s.Chains = nil },
		"two chains lr0.01-heavy": func(s *experiment.TrajectoriesSettings) { s.Chains = append(s.Chains, s.Chains[0]) },
		"no folder":               func(s *experiment.TrajectoriesSettings) { s.Folder = "" },
		"-1 chains at a time":     func(s *experiment.TrajectoriesSettings) { s.Workers = -1 },
		"set Training.Epochs":     func(s *experiment.TrajectoriesSettings) { s.Chains[0].Training.Steps = 5 },
		"set Folder instead":      func(s *experiment.TrajectoriesSettings) { s.Chains[0].Training.Checkpoint.Path = "x" },
		"a burn-in of -1 epochs":  func(s *experiment.TrajectoriesSettings) { s.Chains[0].BurnIn = -1 },
		"burn-in of 5 epochs at":  func(s *experiment.TrajectoriesSettings) { s.Chains[0].BurnInRate = 0 },
		"40000 of 30596 samples":  func(s *experiment.TrajectoriesSettings) { s.Chains[0].Samples = 40000 },
		"-1 samples":              func(s *experiment.TrajectoriesSettings) { s.Chains[0].Samples = -1 },
		"batch size 401 exceeds":  func(s *experiment.TrajectoriesSettings) { s.Chains[0].Training.BatchSize = 401 },
		"momentum 2":              func(s *experiment.TrajectoriesSettings) { s.Chains[0].Training.Momentum.Mu = 2 },
		"no learning rate": func(s *experiment.TrajectoriesSettings) {
			s.Chains[0].BurnIn, s.Chains[0].Training.LearningRate = 0, sgd.Schedule{}
		},
		"unknown sampling scheme 9": func(s *experiment.TrajectoriesSettings) { s.Chains[0].Training.Sampling = 9 },
	} {
		s := chains(t.TempDir(), shortChain())
		change(&s)
		if _, err := experiment.Trajectories(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	full, quick := experiment.Fig3Chains(), experiment.Fig3ChainsQuick()
	if len(full.Chains) != 2*3*3*2+4 || len(quick.Chains) != 2*3*3*2 || quick.Chains[0].Samples != 3000 {
		t.Errorf("%d chains, quick %d", len(full.Chains), len(quick.Chains))
	}
	for i, want := range []string{"lr0.001-heavyball0.9-indexwalk-training-seed1", "lr0.001-none-withreplacement-frozen-seed1"} {
		if c := full.Chains[i]; c.Name() != want || c.Training.Epochs != 100_000 {
			t.Errorf("chain %d is %s with %d epochs", i, c.Name(), c.Training.Epochs)
		}
	}
}
