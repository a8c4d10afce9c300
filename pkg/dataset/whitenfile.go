package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"

	"sgdlab/internal/atomicfile"
)

// whitenMagic begins the file of a whitening: after it come, little endian, p as a uint64,
// ε as a float64, the p of μ and the p×p of W as float32, and the SHA-256 of all before.
const whitenMagic = "sgdlab whitening 1\n"

// Save writes w to the file at path, atomically: 4p² bytes, 38 MB for CIFAR.
func (w *Whitening) Save(path string) error {
	p := len(w.Mean)
	b := bytes.NewBuffer(make([]byte, 0, len(whitenMagic)+16+4*p*(p+1)+sha256.Size))
	b.WriteString(whitenMagic)
	for _, v := range []any{uint64(p), w.Bias, w.Mean, w.Filter} {
		if err := binary.Write(b, binary.LittleEndian, v); err != nil {
			return fmt.Errorf("dataset: encoding a whitening: %w", err)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if err := atomicfile.Write(path, b.Bytes()); err != nil {
		return fmt.Errorf("dataset: saving a whitening: %w", err)
	}
	return nil
}

// LoadWhitening reads what [Whitening.Save] wrote, bit for bit. The error for a file that
// is not there satisfies errors.Is(err, fs.ErrNotExist); one that is damaged or something
// else is named.
func LoadWhitening(path string) (*Whitening, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: reading a whitening: %w", err)
	}
	bad := func(what string) error {
		return fmt.Errorf("dataset: %s %s: remove the file to fit the whitening again", path, what)
	}
	body, ok := bytes.CutPrefix(data, []byte(whitenMagic))
	if !ok {
		return nil, bad("is not a whitening")
	}
	if len(body) < 16+sha256.Size {
		return nil, bad("is cut off")
	}
	p := binary.LittleEndian.Uint64(body)
	if p > 1<<14 || uint64(len(body)) != 16+4*p*(p+1)+sha256.Size {
		return nil, bad(fmt.Sprintf("has %d bytes, which does not fit its header", len(data)))
	}
	sum := sha256.Sum256(data[:len(data)-sha256.Size])
	if !bytes.Equal(sum[:], data[len(data)-sha256.Size:]) {
		return nil, bad("has a wrong checksum")
	}
	values := make([]float32, p*(p+1))
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[16+4*i:]))
	}
	return &Whitening{
		Bias:   math.Float64frombits(binary.LittleEndian.Uint64(body[8:])),
		Mean:   slices.Clip(values[:p]),
		Filter: values[p:],
	}, nil
}
