package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"sgdlab/pkg/dataset/internal/targz"
)

// CIFAR10 reads the training and the test set, 50,000 and 10,000 colour images
// (planes red, green, blue) of 32×32 pixels in [0,1] (the byte p becomes p/255),
// ten classes.
//
// The directory holds data_batch_1.bin … data_batch_5.bin and test_batch.bin, or
// the folder cifar-10-batches-bin that does, or the archive cifar-10-binary.tar.gz
// as published; the path of the archive itself serves as well, but unpacked files
// are read much faster. The files must be whole records of 3,073 bytes with labels
// 0..9. An error names the file and the remedy. Both sets together take 740 MB of
// memory.
func CIFAR10(dir string) (train, test *Images, err error) { return cifar10.read(dir) }

// CIFAR100 is [CIFAR10] for CIFAR-100: the hundred fine classes, from train.bin and
// test.bin, the folder cifar-100-binary or the archive cifar-100-binary.tar.gz.
// Records have 3,074 bytes: the coarse label 0..19, which is checked and dropped,
// the fine one, 0..99, and the pixels.
func CIFAR100(dir string) (train, test *Images, err error) { return cifar100.read(dir) }

// cifar is one of the two data sets in the form of its binary version.
type cifar struct {
	published
	archive string
	train   []string
	test    string
	classes []int // of the label bytes before the pixels; the last is the label
}

var (
	cifar10 = cifar{
		published: published{title: "CIFAR-10", name: "cifar10", folder: "cifar-10-batches-bin"},
		archive:   "cifar-10-binary.tar.gz",
		train:     []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:      "test_batch.bin",
		classes:   []int{10},
	}
	cifar100 = cifar{
		published: published{title: "CIFAR-100", name: "cifar100", folder: "cifar-100-binary"},
		archive:   "cifar-100-binary.tar.gz",
		train:     []string{"train.bin"},
		test:      "test.bin",
		classes:   []int{20, 100},
	}
)

const (
	cifarPixels = 3 * 32 * 32
	// maxMember bounds a member of an archive; the largest has 154 MB.
	maxMember = 1 << 28
)

func (c cifar) read(path string) (train, test *Images, err error) {
	parts, err := c.load(path)
	if err != nil {
		return nil, nil, err
	}
	n := len(c.train)
	if train, err = c.images(c.title+" train", parts[:n]); err != nil {
		return nil, nil, err
	}
	if test, err = c.images(c.title+" test", parts[n:]); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// part is the content of one of the files.
type part struct {
	path    string // for messages
	content []byte
}

// load returns the files of the training set followed by that of the test set.
func (c cifar) load(path string) ([]part, error) {
	names := append(append([]string(nil), c.train...), c.test)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return c.loadArchive(path, names)
	}
	dir, err := find(path, c.published, func(dir string) bool { return isFile(filepath.Join(dir, names[0])) })
	if err != nil {
		return nil, err
	}
	if archive := filepath.Join(dir, c.archive); !isFile(filepath.Join(dir, names[0])) && isFile(archive) {
		return c.loadArchive(archive, names)
	}
	var parts []part
	for _, name := range names {
		path := filepath.Join(dir, name)
		content, err := readBounded(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("dataset: %s has neither %s nor %s: %s", dir, name, c.archive, c.remedy())
		}
		if err != nil {
			return nil, c.refuse(path, "%w", damaged(err))
		}
		parts = append(parts, part{path, content})
	}
	return parts, nil
}

func (c cifar) loadArchive(path string, names []string) ([]part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, c.refuse(path, "%w", damaged(err))
	}
	defer f.Close()
	contents := map[string][]byte{}
	err = targz.Read(f, c.folder, names, maxMember, func(name string, size int64, r io.Reader) error {
		var content bytes.Buffer
		_, err := content.ReadFrom(r)
		contents[name] = content.Bytes()
		return err
	})
	if err != nil {
		return nil, c.refuse(path, "%w", err)
	}
	var parts []part
	for _, name := range names {
		parts = append(parts, part{path + ":" + name, contents[name]})
	}
	return parts, nil
}

// images makes one set of the records of all parts.
func (c cifar) images(name string, parts []part) (*Images, error) {
	record := len(c.classes) + cifarPixels
	im := &Images{Name: name, Channels: 3, Height: 32, Width: 32, Classes: c.classes[len(c.classes)-1]}
	for _, p := range parts {
		switch {
		case len(p.content) == 0:
			return nil, c.refuse(p.path, "it is empty")
		case len(p.content)%record != 0:
			return nil, c.refuse(p.path, "its %d bytes are not whole records of %d", len(p.content), record)
		}
		im.N += len(p.content) / record
	}
	im.Pixels = make([]float32, im.N*cifarPixels)
	im.Labels = make([]uint8, im.N)
	failures := make([]error, len(parts))
	var wg sync.WaitGroup
	start := 0
	for k, p := range parts {
		n := len(p.content) / record
		pixels, labels := im.Pixels[start*cifarPixels:(start+n)*cifarPixels], im.Labels[start:start+n]
		start += n
		wg.Go(func() {
			for i := range n {
				r := p.content[i*record : (i+1)*record]
				for l, classes := range c.classes {
					if int(r[l]) >= classes {
						failures[k] = c.refuse(p.path, "a label of image %d is %d, want at most %d", i, r[l], classes-1)
						return
					}
				}
				labels[i] = r[len(c.classes)-1]
				scaleTo(pixels[i*cifarPixels:(i+1)*cifarPixels], r[len(c.classes):])
			}
		})
	}
	wg.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return im, nil
}

// readBounded reads a file of at most maxFile bytes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	content := make([]byte, info.Size())
	_, err = io.ReadFull(f, content)
	return content, err
}
