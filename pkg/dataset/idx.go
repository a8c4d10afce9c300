package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFile bounds the bytes of images in one file; those of MNIST and CIFAR hold at
// most 154 MB.
const maxFile = 1 << 30

// readIDX reads an IDX file of unsigned bytes with the given number of
// dimensions, gzip'ed or not (told by its content). It returns the sizes the
// header declares and the bytes, row-major, as many as declared and not one
// more. Memory stays within a small multiple of what the file really holds and
// of what its header declares. Errors say what is wrong with the file, without
// its name.
func readIDX(r io.Reader, rank int) (dims []int, values []byte, err error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	r = buffered
	if head, _ := buffered.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, nil, damaged(err)
		}
		r = z
	}
	header := make([]byte, 4+4*rank)
	switch n, err := io.ReadFull(r, header); {
	case n == 0 && err == io.EOF:
		return nil, nil, errors.New("it is empty")
	case n < 4 && isCut(err):
		return nil, nil, errors.New("it is cut short within its first 4 bytes")
	case err != nil && !isCut(err):
		return nil, nil, damaged(err)
	case !bytes.Equal(header[:4], []byte{0, 0, 8, byte(rank)}):
		return nil, nil, fmt.Errorf("it begins with % x, but an IDX file of bytes in %d dimension(s) begins with 00 00 08 %02x", header[:4], rank, rank)
	case err != nil:
		return nil, nil, errors.New("it is cut short within its header")
	}
	size := 1
	for i := range rank {
		n := int(binary.BigEndian.Uint32(header[4+4*i:]))
		if n != 0 && size > maxFile/n {
			return nil, nil, fmt.Errorf("its header declares more than %d bytes", maxFile)
		}
		dims = append(dims, n)
		size *= n
	}
	var data bytes.Buffer
	data.Grow(min(size, 1<<26) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(r, int64(size))); data.Len() < size {
		if err == nil || isCut(err) {
			return nil, nil, fmt.Errorf("it is cut short: its header declares %d bytes of data, it holds %d", size, data.Len())
		}
		return nil, nil, damaged(err)
	}
	// One more byte: there must be none, and here gzip reports on its checksum.
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, nil, fmt.Errorf("it goes on after the %d bytes of data that its header declares", size)
	case isCut(err):
		return nil, nil, errors.New("its gzip stream lacks its end or goes on after it")
	case err != io.EOF:
		return nil, nil, damaged(err)
	}
	return dims, data.Bytes(), nil
}

// isCut tells a stream that ends too early from one that is wrong.
func isCut(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// damaged describes a stream that cannot be read on.
func damaged(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) { // it names the file; the caller does already
		err = pathError.Err
	}
	return fmt.Errorf("it cannot be read: %w", err)
}
