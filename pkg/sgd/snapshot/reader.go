package snapshot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Epoch is the block of one epoch. Its slices are views, valid until the next epoch is
// read.
type Epoch struct {
	Epoch    int       // counting from 1
	Weights  []float32 // d, after the epoch
	Gradient []float32 // d, of the loss over all samples at Weights
	Numbers  []float64 // in the order of Header.Numbers, one for each of them
}

// Reader reads a snapshot file. It is safe for concurrent use.
type Reader struct {
	file   *os.File
	path   string
	header Header
	start  int64 // of the first block
	epochs int
	damage error
}

// Open opens the snapshot file at path and checks all of it. It returns an error if there
// is no such file or its header is damaged; a damaged block is not an error, but the end of
// what can be read, see [Reader.Damage].
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("snapshot: opening a trajectory: %w; make it first", err)
	}
	r, err := newReader(f, path)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("snapshot: the file %s cannot be read: %w; make it again", path, err)
	}
	return r, nil
}

// newReader reads the header of f and finds its last good block.
func newReader(f *os.File, path string) (*Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const headerMax = 1 << 20
	head := make([]byte, min(info.Size(), headerMax))
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h, size, err := decode(head)
	if err != nil {
		return nil, err
	}
	r := &Reader{file: f, path: path, header: h, start: int64(size)}
	length := int64(h.blockSize())
	whole := int((info.Size() - r.start) / length)
	err = r.blocks(0, whole, func(i int, b block) error {
		if !b.good(i + 1) {
			r.damage = fmt.Errorf("snapshot: %s is damaged in the block of epoch %d: the checksum differs; its first %d epochs are good", path, i+1, i)
			return errStop
		}
		r.epochs = i + 1
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	if rest := info.Size() - r.start - int64(whole)*length; r.damage == nil && rest != 0 {
		r.damage = fmt.Errorf("snapshot: %s is truncated in the block of epoch %d, after %d of %d bytes; its first %d epochs are good", path, whole+1, rest, length, whole)
	}
	return r, nil
}

var errStop = errors.New("stop")

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Header returns the header of the file; its slices must not be changed.
func (r *Reader) Header() Header { return r.header }

// Dim returns d.
func (r *Reader) Dim() int { return r.header.Weights }

// Epochs returns the number of good epochs.
func (r *Reader) Epochs() int { return r.epochs }

// Damage returns nil if the file is whole, and otherwise an error that says where it is
// truncated or damaged and how many epochs are good.
func (r *Reader) Damage() error { return r.damage }

// Each calls use for the epochs with the indices from ≤ i < to in order, index i being
// epoch i+1, and stops at its first error, which it returns. It panics unless
// 0 ≤ from ≤ to ≤ Epochs.
func (r *Reader) Each(from, to int, use func(Epoch) error) error {
	r.checkRange(from, to)
	d := r.header.Weights
	e := Epoch{Weights: make([]float32, d), Gradient: make([]float32, d), Numbers: make([]float64, len(r.header.Numbers))}
	return r.blocks(from, to, func(i int, b block) error {
		e.Epoch = i + 1
		float32sTo(e.Weights, b[8:])
		float32sTo(e.Gradient, b[8+4*d:])
		float64sTo(e.Numbers, b[8+8*d:])
		return use(e)
	})
}

// WeightColumnsTo stores the weights first ≤ j < last as series over all epochs in dst,
// (last−first)×Epochs row-major: weight j after epoch k+1 is dst[(j−first)·Epochs+k]. A nil
// dst is allocated. It reads the file once, whatever the number of weights.
//
// It panics unless 0 ≤ first ≤ last ≤ d, or if dst has another length.
func (r *Reader) WeightColumnsTo(dst []float64, first, last int) ([]float64, error) {
	return r.columns(dst, first, last, 0)
}

// GradientColumnsTo is [Reader.WeightColumnsTo] for the full gradients, of the same shape.
func (r *Reader) GradientColumnsTo(dst []float64, first, last int) ([]float64, error) {
	return r.columns(dst, first, last, r.header.Weights)
}

func (r *Reader) columns(dst []float64, first, last, offset int) ([]float64, error) {
	if first < 0 || last < first || last > r.header.Weights {
		panic(fmt.Sprintf("snapshot: weights %d to %d of %d", first, last, r.header.Weights))
	}
	n := r.epochs
	dst = r.sized(dst, (last-first)*n)
	row := make([]float32, last-first)
	err := r.blocks(0, n, func(i int, b block) error {
		float32sTo(row, b[8+4*(offset+first):])
		for j, v := range row {
			dst[j*n+i] = float64(v)
		}
		return nil
	})
	return dst, err
}

// NumberTo stores the number of the given name over all epochs in dst (Epochs); a nil dst
// is allocated. It returns an error if the file has no number of that name, and panics if
// dst has another length.
func (r *Reader) NumberTo(dst []float64, name string) ([]float64, error) {
	at := slices.Index(r.header.Numbers, name)
	if at < 0 {
		return nil, fmt.Errorf("snapshot: %s has no number %q: it has %q", r.path, name, r.header.Numbers)
	}
	dst = r.sized(dst, r.epochs)
	err := r.blocks(0, r.epochs, func(i int, b block) error {
		float64sTo(dst[i:i+1], b[8+8*r.header.Weights+8*at:])
		return nil
	})
	return dst, err
}

func (r *Reader) sized(dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic(fmt.Sprintf("snapshot: dimension mismatch: dst has length %d, want %d", len(dst), n))
	}
	return dst
}

func (r *Reader) checkRange(from, to int) {
	if from < 0 || to < from || to > r.epochs {
		panic(fmt.Sprintf("snapshot: epochs %d to %d of %d", from, to, r.epochs))
	}
}

// blocks calls use for the blocks from ≤ i < to in order, which the file has.
func (r *Reader) blocks(from, to int, use func(i int, b block) error) error {
	const chunk = 1 << 20
	size := r.header.blockSize()
	buffer := make([]byte, max(chunk/size, 1)*size)
	for from < to {
		n := min(to-from, len(buffer)/size)
		if _, err := r.file.ReadAt(buffer[:n*size], r.start+int64(from)*int64(size)); err != nil {
			return fmt.Errorf("snapshot: reading %s at epoch %d: %w", r.path, from+1, err)
		}
		for k := range n {
			if err := use(from+k, buffer[k*size:(k+1)*size]); err != nil {
				return err
			}
		}
		from += n
	}
	return nil
}
