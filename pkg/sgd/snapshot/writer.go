package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"sgdlab/internal/atomicfile"
)

// Writer writes a snapshot file. It is not safe for concurrent use, and two writers must
// not have the same file.
type Writer struct {
	reader *Reader // of what is there
	block  block
	old    block
}

// Create makes the snapshot file at path, or opens the one that is there to go on behind
// its last good epoch; what is torn or damaged behind it is cut off. It returns an error
// that names what differs if the file is of another run.
func Create(path string, h Header) (*Writer, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	head, err := h.encode()
	if err != nil {
		return nil, fmt.Errorf("snapshot: the header of %s: %w", path, err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := atomicfile.Write(path, head); err != nil {
			return nil, fmt.Errorf("snapshot: making a trajectory: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("snapshot: opening a trajectory: %w", err)
	}
	r, err := newReader(f, path)
	if err == nil {
		if err = r.header.differ(h); err != nil {
			err = fmt.Errorf("it belongs to another run: %w", err)
		}
	}
	if err == nil {
		err = f.Truncate(r.at(r.epochs))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("snapshot: cannot go on with the file %s: %w; remove it to start afresh", path, err)
	}
	return &Writer{reader: r, block: make(block, h.blockSize()), old: make(block, h.blockSize())}, nil
}

// at is where the block with index i begins.
func (r *Reader) at(i int) int64 { return r.start + int64(i)*int64(r.header.blockSize()) }

// Epochs returns the number of epochs in the file.
func (w *Writer) Epochs() int { return w.reader.epochs }

// Damage returns what [Reader.Damage] of the file was when w was made; the damaged part is
// cut off.
func (w *Writer) Damage() error { return w.reader.damage }

// Append writes the block of an epoch: weights and gradient (d), and the numbers in the
// order of the header. The first epoch is 1, the next is one more than the last.
//
// An epoch that is in the file is compared with it: a run that goes on from a checkpoint
// repeats some, and must repeat them bit for bit. Append returns an error if it differs, or
// if epochs are missing in between. It panics if a slice has a wrong length or epoch < 1.
func (w *Writer) Append(epoch int, weights, gradient, numbers []float64) error {
	r := w.reader
	d, k := r.header.Weights, len(r.header.Numbers)
	if len(weights) != d || len(gradient) != d || len(numbers) != k || epoch < 1 {
		panic(fmt.Sprintf("snapshot: epoch %d with %d weights, a gradient of %d and %d numbers: want %d, %d and %d", epoch, len(weights), len(gradient), len(numbers), d, d, k))
	}
	if epoch > r.epochs+1 {
		return fmt.Errorf("snapshot: %s ends with epoch %d, the run goes on with epoch %d: remove the checkpoint of the run to start afresh", r.path, r.epochs, epoch)
	}
	putFloat64s(w.block[8+8*d:], numbers)
	putFloat32s(w.block[8:], weights)
	putFloat32s(w.block[8+4*d:], gradient)
	w.block.setEpoch(epoch)
	w.block.seal()
	at := r.at(epoch - 1)
	if epoch <= r.epochs {
		if _, err := r.file.ReadAt(w.old, at); err != nil {
			return fmt.Errorf("snapshot: reading %s at epoch %d: %w", r.path, epoch, err)
		}
		if !bytes.Equal(w.old, w.block) {
			return fmt.Errorf("snapshot: %s holds another epoch %d than this run: it was made by another program, or on another processor; remove it and the checkpoint to start afresh", r.path, epoch)
		}
		return nil
	}
	if _, err := r.file.WriteAt(w.block, at); err != nil {
		return fmt.Errorf("snapshot: writing epoch %d to %s: %w", epoch, r.path, err)
	}
	r.epochs = epoch
	return nil
}

// Close makes the file durable and closes it.
func (w *Writer) Close() error {
	f := w.reader.file
	err := f.Sync()
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("snapshot: closing %s: %w", w.reader.path, err)
	}
	return nil
}
