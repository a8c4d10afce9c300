package dataset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"sgdlab/data"
	"sgdlab/pkg/dataset/internal/pool7"
)

// MNIST reads the training and the test set, 60,000 and 10,000 images of 28×28
// pixels in [0,1] (the byte p becomes p/255), ten classes.
//
// The directory holds the four IDX files under their published names, such as
// train-images-idx3-ubyte or train-images-idx3-ubyte.gz, or has a folder mnist
// that does; a file that is there in both forms is read unpacked, which is
// faster. Whether a file is gzip'ed is told by its content. Everything the
// format allows to check is checked: magic numbers, declared against real sizes,
// image size, equal counts, labels 0..9. An error names the file and the remedy.
func MNIST(dir string) (train, test *Images, err error) {
	dir, err = find(dir, mnist, func(dir string) bool {
		_, err := findIDX(dir, "train-images-idx3-ubyte")
		return err == nil
	})
	if err != nil {
		return nil, nil, err
	}
	var errTrain, errTest error
	var wg sync.WaitGroup
	wg.Go(func() { train, errTrain = readMNIST(dir, "train", "MNIST train") })
	wg.Go(func() { test, errTest = readMNIST(dir, "t10k", "MNIST test") })
	wg.Wait()
	if err := cmp.Or(errTrain, errTest); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// MNIST7 returns MNIST pooled to 7×7, 60,000 and 10,000 images with pixels in
// [0,1], from the copy within the program: it needs no files and is always
// there.
//
// A pixel is the mean of a 4×4 square, s/4080 with the exact sum s of 16 bytes,
// rounded once to float32. MeanPool(4) of the images that [MNIST] reads sums
// pixels already rounded and may differ in the last bit. The images are derived
// from MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0.
//
//	train, test, err := dataset.MNIST7() // train.Image(0) has length 49
func MNIST7() (train, test *Images, err error) {
	if train, err = unpackMNIST7(data.MNIST7Train, "MNIST 7×7 train"); err != nil {
		return nil, nil, err
	}
	if test, err = unpackMNIST7(data.MNIST7Test, "MNIST 7×7 test"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func unpackMNIST7(packed, name string) (*Images, error) {
	sums, labels, err := pool7.Decode(packed)
	if err != nil {
		return nil, fmt.Errorf("dataset: the embedded %s is damaged: %w: restore data/mnist7 from the repository and build again", name, err)
	}
	var level [1 << 12]float32 // 12 bits cannot leave it; up to pool7.Max are in use
	for s := range level {
		level[s] = float32(float64(s) / pool7.Max)
	}
	im := &Images{Name: name, N: len(labels), Channels: 1, Height: 7, Width: 7, Classes: 10, Labels: labels}
	im.Pixels = make([]float32, len(sums))
	for i, s := range sums {
		im.Pixels[i] = level[s]
	}
	return im, nil
}

// readMNIST reads the pair of files of one of the two sets.
func readMNIST(dir, prefix, name string) (*Images, error) {
	imagePath, err := findIDX(dir, prefix+"-images-idx3-ubyte")
	if err != nil {
		return nil, err
	}
	labelPath, err := findIDX(dir, prefix+"-labels-idx1-ubyte")
	if err != nil {
		return nil, err
	}
	shape, pixels, err := readIDXFile(imagePath, 3)
	if err != nil {
		return nil, err
	}
	count, labels, err := readIDXFile(labelPath, 1)
	if err != nil {
		return nil, err
	}
	switch {
	case shape[0] == 0:
		return nil, mnist.refuse(imagePath, "it holds no images")
	case shape[1] != 28 || shape[2] != 28:
		return nil, mnist.refuse(imagePath, "its images are %d×%d, those of MNIST 28×28", shape[1], shape[2])
	case shape[0] != count[0]:
		return nil, mnist.refuse(imagePath, "it holds %d images, but %s holds %d labels", shape[0], labelPath, count[0])
	}
	for i, label := range labels {
		if label > 9 {
			return nil, mnist.refuse(labelPath, "label %d is %d, not a digit", i, label)
		}
	}
	im := &Images{Name: name, N: shape[0], Channels: 1, Height: 28, Width: 28, Classes: 10, Labels: labels}
	im.Pixels = make([]float32, len(pixels))
	scaleTo(im.Pixels, pixels)
	return im, nil
}

// level[p] is the pixel p/255 of the byte p, rounded once.
var level = func() (level [256]float32) {
	for p := range level {
		level[p] = float32(float64(p) / 255)
	}
	return level
}()

// scaleTo stores the pixels of the bytes in dst.
func scaleTo(dst []float32, bytes []byte) {
	for i, p := range bytes {
		dst[i] = level[p]
	}
}

// findIDX returns the path of the file, plain or gzip'ed.
func findIDX(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	for _, p := range []string{path, path + ".gz"} {
		if isFile(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("dataset: %s has neither %s nor %[2]s.gz: %s", dir, name, mnist.remedy())
}

func readIDXFile(path string, rank int) (dims []int, values []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, mnist.refuse(path, "%w", damaged(err))
	}
	defer f.Close()
	dims, values, err = readIDX(f, rank)
	if err != nil {
		return nil, nil, mnist.refuse(path, "%w", err)
	}
	return dims, values, nil
}

var mnist = published{title: "MNIST", name: "mnist", folder: "mnist"}
