package sgd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"sgdlab/internal/atomicfile"
	"sgdlab/pkg/noise"
)

// A checkpoint file is
//
//	sgdlab checkpoint VERSION BYTES\n     BYTES is the size of the whole file
//	header as JSON on one line\n
//	weights, velocity, state, losses      float64, little endian
//	SHA-256 of all before it              32 bytes
const (
	checkpointMagic   = "sgdlab checkpoint "
	checkpointVersion = 1
	defaultEvery      = 10 * time.Second
)

// header is the part of a checkpoint that is not an array. JSON keeps every bit of a
// finite float64.
type header struct {
	Run      identity      `json:"run"`
	Step     int           `json:"step"`
	Sum      float64       `json:"sum"`
	Elapsed  time.Duration `json:"elapsed_ns"`
	Sampler  []byte        `json:"sampler"`
	Weights  int           `json:"weights"`
	Velocity int           `json:"velocity"`
	State    int           `json:"state"`
	Losses   int           `json:"losses"`
}

// identity is what two runs must share for one to go on from the other: names and values
// in a fixed order.
type identity [][2]string

func newIdentity(obj Objective, x0 []float64, s Settings) identity {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return identity{
		{"objective", s.Checkpoint.Objective},
		{"number of weights", strconv.Itoa(obj.Dim())},
		{"number of samples", strconv.Itoa(obj.Samples())},
		{"batch size", strconv.Itoa(s.BatchSize)},
		{"sampling", s.Sampling.String()},
		{"learning rate", s.LearningRate.exact()},
		{"momentum", s.Momentum.Kind.String() + " " + exact(s.Momentum.Mu)},
		{"weight decay", exact(s.WeightDecay)},
		{"seed", strconv.FormatUint(s.Seed, 10)},
		{"starting point", fmt.Sprintf("%x", sha256.Sum256(appendFloats(nil, x0)))[:16]},
	}
}

// differ returns the first line that differs, with the two values.
func (id identity) differ(want identity) error {
	for i, w := range want {
		if i >= len(id) || id[i][0] != w[0] {
			return fmt.Errorf("its %s is not recorded", w[0])
		}
		if id[i][1] != w[1] {
			return fmt.Errorf("its %s is %q, this run's %q", w[0], id[i][1], w[1])
		}
	}
	return nil
}

// due reports whether a checkpoint must be written after the time since the last one.
func (r *run) due(since time.Duration) bool {
	every := r.settings.Checkpoint.Every
	if every == 0 {
		every = defaultEvery
	}
	return r.settings.Checkpoint.Path != "" && since >= every && r.step < r.total
}

// save writes the state of r after the wall time elapsed.
func (r *run) save(elapsed time.Duration) error {
	sampler, err := r.sampler.MarshalBinary()
	if err != nil {
		return fmt.Errorf("sgd: checkpoint after step %d: %w", r.step, err)
	}
	var state []float64
	if r.stateful != nil {
		state = r.stateful.AppendState(nil)
	}
	h := header{
		Run: r.id, Step: r.step, Sum: r.sum, Elapsed: elapsed, Sampler: sampler,
		Weights: len(r.chain.x), Velocity: len(r.chain.v), State: len(state), Losses: len(r.losses),
	}
	data, err := encode(h, r.chain.x, r.chain.v, state, r.losses)
	if err == nil {
		err = atomicfile.Write(r.settings.Checkpoint.Path, data)
	}
	if err != nil {
		return fmt.Errorf("sgd: checkpoint after step %d: %w", r.step, err)
	}
	return nil
}

// resume puts r into the state of its checkpoint, if there is one.
func (r *run) resume(x0 []float64) error {
	path := r.settings.Checkpoint.Path
	if path == "" {
		return nil
	}
	r.id = newIdentity(r.obj, x0, r.settings)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		// The folder must be there now, not when hours of work are to be saved.
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("sgd: no folder for the checkpoint %s: create it: %w", path, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("sgd: reading the checkpoint: %w", err)
	}
	if err := r.restore(data); err != nil {
		return fmt.Errorf("sgd: cannot go on from the checkpoint %s: %w; remove the file to start afresh", path, err)
	}
	return nil
}

func (r *run) restore(data []byte) error {
	h, arrays, err := decode(data)
	if err != nil {
		return err
	}
	if err := h.Run.differ(r.id); err != nil {
		return fmt.Errorf("it belongs to another run: %w", err)
	}
	var state []float64
	if r.stateful != nil {
		state = r.stateful.AppendState(nil)
	}
	switch {
	case h.Step > r.total:
		return fmt.Errorf("it is at step %d, this run ends at step %d", h.Step, r.total)
	case h.Weights != len(r.chain.x) || h.Velocity != len(r.chain.v) || h.Losses != h.Step/r.perEpoch:
		return errors.New("its arrays do not fit its settings")
	case h.State != len(state):
		return fmt.Errorf("it belongs to another run: its objective has a state of %d numbers, this run's %d", h.State, len(state))
	}
	sampler := new(noise.Sampler)
	if err := sampler.UnmarshalBinary(h.Sampler); err != nil {
		return err
	}
	copy(r.chain.x, arrays[0])
	copy(r.chain.v, arrays[1])
	if r.stateful != nil {
		if err := r.stateful.SetState(arrays[2]); err != nil {
			return fmt.Errorf("its state does not fit the objective: %w", err)
		}
	}
	r.sampler, r.losses, r.step, r.sum, r.earlier = sampler, arrays[3], h.Step, h.Sum, h.Elapsed
	return nil
}

// encode returns the bytes of a checkpoint file.
func encode(h header, arrays ...[]float64) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	body := append(head, '\n')
	for _, a := range arrays {
		body = appendFloats(body, a)
	}
	// The size is part of the file that it is the size of: its digits are padded.
	line := func(size int) string {
		return fmt.Sprintf("%s%d %020d\n", checkpointMagic, checkpointVersion, size)
	}
	size := len(line(0)) + len(body) + sha256.Size
	data := append([]byte(line(size)), body...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// decode takes a checkpoint file apart. Its error completes "the checkpoint …: ".
func decode(data []byte) (h header, arrays [4][]float64, err error) {
	if !bytes.HasPrefix(data, []byte(checkpointMagic)) {
		if bytes.HasPrefix([]byte(checkpointMagic), data) {
			return h, arrays, fmt.Errorf("it is truncated to %d bytes", len(data))
		}
		return h, arrays, errors.New("it is not a checkpoint file")
	}
	line, rest, whole := bytes.Cut(data, []byte("\n"))
	if !whole {
		return h, arrays, fmt.Errorf("it is truncated to %d bytes", len(data))
	}
	var version, size int
	if _, err := fmt.Sscanf(string(line[len(checkpointMagic):]), "%d %d", &version, &size); err != nil {
		return h, arrays, errors.New("it is damaged: its first line is not readable")
	}
	switch {
	case version != checkpointVersion:
		return h, arrays, fmt.Errorf("it has format version %d, this program reads version %d", version, checkpointVersion)
	case len(data) < size:
		return h, arrays, fmt.Errorf("it is truncated: %d of %d bytes", len(data), size)
	case len(data) > size || len(rest) < sha256.Size:
		return h, arrays, fmt.Errorf("it is damaged: %d bytes instead of %d", len(data), size)
	}
	sum := sha256.Sum256(data[:len(data)-sha256.Size])
	if !bytes.Equal(sum[:], data[len(data)-sha256.Size:]) {
		return h, arrays, errors.New("it is damaged: the checksum differs")
	}
	head, floats, _ := bytes.Cut(rest[:len(rest)-sha256.Size], []byte("\n"))
	if err := json.Unmarshal(head, &h); err != nil {
		return h, arrays, fmt.Errorf("its header is not readable: %w", err)
	}
	counts := [4]int{h.Weights, h.Velocity, h.State, h.Losses}
	for i, n := range counts {
		if n < 0 || 8*n > len(floats) {
			return h, arrays, errors.New("its arrays do not fit its header")
		}
		arrays[i], floats = takeFloats(floats, n)
	}
	if len(floats) != 0 {
		return h, arrays, errors.New("its arrays do not fit its header")
	}
	return h, arrays, nil
}

func appendFloats(data []byte, a []float64) []byte {
	for _, v := range a {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// takeFloats returns the first n numbers of data, which has them, and the rest.
func takeFloats(data []byte, n int) ([]float64, []byte) {
	a := make([]float64, n)
	for i := range a {
		a[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return a, data[8*n:]
}
