package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

const (
	magic   = "sgdlab snapshots "
	version = 1
)

// castagnoli is the table of CRC-32C, which processors compute at memory speed.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header says which run a file belongs to and what its blocks hold.
type Header struct {
	// Run names what the run depends on, as pairs of name and value in a fixed order, such
	// as {"seed", "1"}. A run can only go on from a file with the same pairs.
	Run [][2]string `json:"run"`
	// Weights is d, the length of the weight vector and of the gradient.
	Weights int `json:"weights"`
	// Numbers are the names of the other numbers of an epoch, in their order.
	Numbers []string `json:"numbers"`
	// Stats are the batch-norm statistics of a run with frozen ones, mean before variance
	// in each layer (StatsDim); nil if batch norm is in training mode or absent.
	Stats []float64 `json:"stats,omitempty"`
}

// Value returns the value of the given name in h.Run, or "".
func (h Header) Value(name string) string {
	for _, pair := range h.Run {
		if pair[0] == name {
			return pair[1]
		}
	}
	return ""
}

// blockSize is the number of bytes of an epoch.
func (h Header) blockSize() int { return 8 + 2*4*h.Weights + 8*len(h.Numbers) + 4 }

func (h Header) check() error {
	if h.Weights < 1 {
		return fmt.Errorf("%d weights: there must be at least one", h.Weights)
	}
	seen := map[string]bool{}
	for _, name := range h.Numbers {
		if name == "" || seen[name] {
			return fmt.Errorf("the numbers %q: every one needs a name of its own", h.Numbers)
		}
		seen[name] = true
	}
	return nil
}

// differ returns the first thing in which the run of h is not that of want.
func (h Header) differ(want Header) error {
	for i, w := range want.Run {
		if i >= len(h.Run) || h.Run[i][0] != w[0] {
			return fmt.Errorf("its %s is not recorded", w[0])
		}
		if h.Run[i][1] != w[1] {
			return fmt.Errorf("its %s is %q, this run's %q", w[0], h.Run[i][1], w[1])
		}
	}
	switch {
	case len(h.Run) > len(want.Run):
		return fmt.Errorf("this run has no %s", h.Run[len(want.Run)][0])
	case h.Weights != want.Weights:
		return fmt.Errorf("it has %d weights, this run %d", h.Weights, want.Weights)
	case fmt.Sprint(h.Numbers) != fmt.Sprint(want.Numbers):
		return fmt.Errorf("its numbers are %q, this run's %q", h.Numbers, want.Numbers)
	case fmt.Sprint(h.Stats) != fmt.Sprint(want.Stats):
		return errors.New("its batch-norm statistics are others")
	}
	return nil
}

// encode returns the beginning of a file.
func (h Header) encode() ([]byte, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, "%s%d %d\n%s\n", magic, version, len(body)+1, body)
	return fmt.Appendf(head, "%08x\n", crc32.Checksum(head, castagnoli)), nil
}

// decode reads a header from the beginning of data and returns its length in bytes. Its
// error completes "the snapshot file …: ".
func decode(data []byte) (h Header, size int, err error) {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return h, 0, errors.New("it is not a snapshot file")
	}
	line, rest, whole := bytes.Cut(data, []byte("\n"))
	if !whole {
		return h, 0, errTornHeader
	}
	var v, n int
	if _, err := fmt.Sscanf(string(line[len(magic):]), "%d %d", &v, &n); err != nil || n < 1 {
		return h, 0, errors.New("its first line is not readable")
	}
	if v != version {
		return h, 0, fmt.Errorf("it has format version %d, this program reads version %d", v, version)
	}
	if n > len(rest)-9 {
		return h, 0, errTornHeader
	}
	head, sum := data[:len(line)+1+n], rest[n:n+9]
	want, err := strconv.ParseUint(string(sum[:8]), 16, 32)
	if err != nil || sum[8] != '\n' || crc32.Checksum(head, castagnoli) != uint32(want) {
		return h, 0, errors.New("its header is damaged: the checksum differs")
	}
	if err := json.Unmarshal(rest[:n], &h); err != nil {
		return h, 0, fmt.Errorf("its header is not readable: %w", err)
	}
	return h, len(head) + len(sum), h.check()
}

var errTornHeader = errors.New("it is truncated within its header")
