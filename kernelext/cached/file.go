package cached

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"time"
)

// A file holds, one after the other: magic; the length of the header (4 bytes, little
// endian) and the header in JSON; the value, see encoder; a CRC-32C of all that (4
// bytes). A checksum of 32 bits is enough against damage, and the processor computes this
// one at the speed of memory.
const magic = "sgdlab value 1\n"

// header describes the value of a file to people.
type header struct {
	Name     string    `json:"name"`
	Settings string    `json:"settings"`
	Type     string    `json:"type"`
	Created  time.Time `json:"created"`
	Seconds  float64   `json:"seconds"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bufferSize of reading and writing.
const bufferSize = 1 << 16

// writeFile writes v to path; the file appears complete or not at all. It is an error if
// the file would be larger than limit.
func writeFile(path string, h header, v reflect.Value, limit int64) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".value-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	buffered := bufio.NewWriterSize(tmp, bufferSize)
	w := io.MultiWriter(buffered, sum)
	head := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(text)))
	if _, err = w.Write(append(head, text...)); err != nil {
		return err
	}
	e := encoder{w: w}
	if e.value(v); e.err != nil {
		return e.err
	}
	if _, err = buffered.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	if err = buffered.Flush(); err != nil {
		return err
	}
	info, err := tmp.Stat()
	if err != nil {
		return err
	}
	if info.Size() > limit {
		return fmt.Errorf("its %d MB are more than the %d MB that are kept in all", info.Size()>>20, limit>>20)
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

var errDamaged = errors.New("wrong checksum")

// readFile reads the value at path into v.
func readFile(path string, v reflect.Value) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	buffered := bufio.NewReaderSize(f, bufferSize)
	r := io.TeeReader(buffered, sum)
	_, n, err := decodeHeader(r)
	if err != nil {
		return err
	}
	d := decoder{r: r, left: info.Size() - n - crc32.Size}
	if d.value(v); d.err != nil {
		return d.err
	}
	var trailer [crc32.Size]byte
	if _, err := io.ReadFull(buffered, trailer[:]); err != nil {
		return err
	}
	if d.left != 0 || binary.LittleEndian.Uint32(trailer[:]) != sum.Sum32() {
		return errDamaged
	}
	return nil
}

func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	h, _, err := decodeHeader(f)
	return h, err
}

// decodeHeader returns the header and the number of bytes before the value.
func decodeHeader(r io.Reader) (h header, n int64, err error) {
	head := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return h, 0, err
	}
	size := binary.LittleEndian.Uint32(head[len(magic):])
	if string(head[:len(magic)]) != magic || size > 1<<24 {
		return h, 0, errors.New("not a value of this version")
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, err
	}
	return h, int64(len(head)) + int64(size), json.Unmarshal(text, &h)
}
