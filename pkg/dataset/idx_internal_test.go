package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"testing"
)

// FuzzIDX feeds readIDX anything: it must not panic, must not keep more than the
// header declares, and what it accepts must be the file again when written back.
func FuzzIDX(f *testing.F) {
	file := func(dims []uint32, values string) []byte {
		b := []byte{0, 0, 8, byte(len(dims))}
		for _, n := range dims {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return append(b, values...)
	}
	zipped := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(b)
		z.Close()
		return out.Bytes()
	}
	labels := file([]uint32{4}, "\x00\x01\x02\x03")
	images := file([]uint32{2, 2, 1}, "abcd")
	f.Add(labels, 1)
	f.Add(images, 3)
	f.Add(zipped(labels), 1)
	f.Add(zipped(images), 3)
	f.Add(zipped(images)[:20], 3)
	f.Add(append(zipped(images), zipped(images)...), 3)
	f.Add(append(zipped(labels), "tail"...), 1)
	f.Add(file([]uint32{1 << 31, 1 << 31, 1 << 31}, ""), 3)
	f.Add(file([]uint32{0}, ""), 1)
	f.Add([]byte{0x1f, 0x8b}, 1)
	f.Add([]byte{}, 1)
	f.Fuzz(func(t *testing.T, raw []byte, rank int) {
		if rank < 1 || rank > 4 {
			return
		}
		dims, values, err := readIDX(bytes.NewReader(raw), rank)
		if err != nil {
			if dims != nil || values != nil {
				t.Errorf("values beside the error %v", err)
			}
			return
		}
		size := 1
		back := make([]uint32, rank)
		for i, n := range dims {
			size *= n
			back[i] = uint32(n)
		}
		if len(values) != size {
			t.Fatalf("got %d values for %v", len(values), dims)
		}
		if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
			z, err := gzip.NewReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if raw, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if again := file(back, string(values)); !bytes.Equal(again, raw) {
			t.Errorf("got % x, want % x", again, raw)
		}
	})
}
