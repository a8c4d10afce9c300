package dataset_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/internal/numtest"
)

// record returns a record of CIFAR: labels and 3,072 bytes that depend on seed.
func record(seed int, labels ...byte) []byte {
	r := slices.Clone(labels)
	for i := range 3072 {
		r = append(r, byte(i*7+i/1024+seed*13))
	}
	return r
}

// form is one of the two layouts, with small files.
type form struct {
	name, folder, archive string
	read                  func(string) (train, test *dataset.Images, err error)
	classes               int
	files                 map[string][]byte
	trainLabels           []uint8 // record i of the training set has seed i
	testLabels            []uint8 // and of the test set 100+i
}

func forms() []form {
	ten := form{name: "CIFAR-10", folder: "cifar-10-batches-bin", archive: "cifar-10-binary.tar.gz", read: dataset.CIFAR10, classes: 10,
		files:       map[string][]byte{},
		trainLabels: []uint8{0, 1, 2, 3, 4, 9, 8, 7, 6, 5}, testLabels: []uint8{3, 9, 0}}
	for i, label := range ten.trainLabels { // two in each batch
		name := fmt.Sprintf("data_batch_%d.bin", i/2+1)
		ten.files[name] = append(ten.files[name], record(i, label)...)
	}
	for i, label := range ten.testLabels {
		ten.files["test_batch.bin"] = append(ten.files["test_batch.bin"], record(100+i, label)...)
	}
	hundred := form{name: "CIFAR-100", folder: "cifar-100-binary", archive: "cifar-100-binary.tar.gz", read: dataset.CIFAR100, classes: 100,
		files:       map[string][]byte{},
		trainLabels: []uint8{99, 0, 42, 17}, testLabels: []uint8{99, 7}}
	for i, label := range hundred.trainLabels {
		hundred.files["train.bin"] = append(hundred.files["train.bin"], record(i, byte(19-i), label)...)
	}
	for i, label := range hundred.testLabels {
		hundred.files["test.bin"] = append(hundred.files["test.bin"], record(100+i, byte(i), label)...)
	}
	return []form{ten, hundred}
}

// tarOf packs files as folder/name.
func tarOf(t testing.TB, folder string, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	add := func(h tar.Header, body []byte) {
		h.Mode, h.Size = 0o644, int64(len(body))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Name: folder + "/", Typeflag: tar.TypeDir}, nil)
	add(tar.Header{Name: folder + "/readme.html", Typeflag: tar.TypeReg}, []byte("<html>"))
	for name, body := range files {
		add(tar.Header{Name: folder + "/" + name, Typeflag: tar.TypeReg}, body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func mkdir(t testing.TB, path string) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// The files in the directory, in their folder, the archive in the directory and the
// archive itself give the same images.
func TestCIFARFindsAndReads(t *testing.T) {
	for _, f := range forms() {
		plain, inFolder, withArchive := t.TempDir(), t.TempDir(), t.TempDir()
		folder := mkdir(t, filepath.Join(inFolder, f.folder))
		for name, b := range f.files {
			write(t, filepath.Join(plain, name), b)
			write(t, filepath.Join(folder, name), b)
		}
		archive := filepath.Join(withArchive, f.archive)
		write(t, archive, tarOf(t, f.folder, f.files))
		for _, path := range []string{plain, inFolder, withArchive, archive} {
			train, test, err := f.read(path)
			if err != nil {
				t.Fatal(err)
			}
			check := func(im *dataset.Images, name string, labels []uint8, seed int) {
				t.Helper()
				if im.Name != name || im.N != len(labels) || im.Channels != 3 || im.Height != 32 || im.Width != 32 || im.Classes != f.classes {
					t.Errorf("got %q, %d×%d×%d×%d, %d classes", im.Name, im.N, im.Channels, im.Height, im.Width, im.Classes)
				}
				if !slices.Equal(im.Labels, labels) {
					t.Errorf("%s: labels: got %v, want %v", name, im.Labels, labels)
				}
				for i := range im.N {
					for k, p := range record(seed + i) {
						if got, want := im.Image(i)[k], float32(p)/255; got != want {
							t.Fatalf("%s: image %d, value %d: got %g, want %g", name, i, k, got, want)
						}
					}
				}
			}
			check(train, f.name+" train", f.trainLabels, 0)
			check(test, f.name+" test", f.testLabels, 100)
		}
	}
}

func TestCIFARRefusesBadFiles(t *testing.T) {
	const ten, hundred = 0, 1
	short := forms()[ten].files["data_batch_3.bin"][:3073+1000]
	for _, tt := range []struct {
		name    string
		form    int
		file    string
		content []byte
		want    string
	}{
		{"empty", ten, "data_batch_3.bin", nil, "it is empty"},
		{"short record", ten, "data_batch_3.bin", short, "its 4073 bytes are not whole records of 3073"},
		{"records of CIFAR-100", ten, "test_batch.bin", record(0, 1, 2), "its 3074 bytes are not whole records of 3073"},
		{"records of CIFAR-10", hundred, "test.bin", record(0, 1), "its 3073 bytes are not whole records of 3074"},
		{"label", ten, "data_batch_5.bin", append(record(0, 9), record(0, 10)...), "a label of image 1 is 10, want at most 9"},
		{"coarse label", hundred, "train.bin", record(0, 20, 5), "a label of image 0 is 20, want at most 19"},
		{"fine label", hundred, "train.bin", record(0, 5, 100), "a label of image 0 is 100, want at most 99"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, other := t.TempDir(), t.TempDir()
			form := forms()[tt.form]
			form.files[tt.file] = tt.content
			for name, b := range form.files {
				write(t, filepath.Join(dir, name), b)
			}
			archive := filepath.Join(other, form.archive)
			write(t, archive, tarOf(t, form.folder, form.files))
			for _, c := range []struct{ path, file string }{
				{dir, filepath.Join(dir, tt.file)},
				{archive, archive + ":" + tt.file},
			} {
				_, _, err := form.read(c.path)
				fetch := strings.ToLower(strings.ReplaceAll(form.name, "-", ""))
				want := "dataset: " + c.file + " is not a file of " + form.name + ": " + tt.want + ": get it with `sgdlab data fetch " + fetch + "` or give another directory"
				if err == nil || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestCIFARDirectory(t *testing.T) {
	empty := t.TempDir()
	partial := t.TempDir()
	folder := mkdir(t, filepath.Join(partial, "cifar-10-batches-bin"))
	for name, b := range forms()[0].files {
		if name != "test_batch.bin" {
			write(t, filepath.Join(folder, name), b)
		}
	}
	cut := t.TempDir()
	archive := tarOf(t, "cifar-10-batches-bin", forms()[0].files)
	write(t, filepath.Join(cut, "cifar-10-binary.tar.gz"), archive[:len(archive)/2])
	linked := t.TempDir()
	write(t, filepath.Join(linked, "cifar-10-binary.tar.gz"), tarOf(t, "../cifar-10-batches-bin", forms()[0].files))
	const remedy = ": get it with `sgdlab data fetch cifar10` or give another directory"
	for _, tt := range []struct{ name, dir, want string }{
		{"none", "", "dataset: no data directory: give one, because the user has no cache directory"},
		{"missing", filepath.Join(empty, "x"), "dataset: the data directory " + filepath.Join(empty, "x") + " does not exist" + remedy},
		{"empty", empty, "dataset: " + empty + " has neither data_batch_1.bin nor cifar-10-binary.tar.gz" + remedy},
		{"one missing", partial, "dataset: " + folder + " has neither test_batch.bin nor cifar-10-binary.tar.gz" + remedy},
		{"cut archive", cut, "dataset: " + filepath.Join(cut, "cifar-10-binary.tar.gz") + " is not a file of CIFAR-10: it is cut short" + remedy},
		{"traversal", linked, "dataset: " + filepath.Join(linked, "cifar-10-binary.tar.gz") + " is not a file of CIFAR-10: it lacks cifar-10-batches-bin/data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin, test_batch.bin" + remedy},
	} {
		if _, _, err := dataset.CIFAR10(tt.dir); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestCIFAR10Real(t *testing.T) {
	if testing.Short() {
		t.Skip("740 MB of images: not in short mode")
	}
	train, test, err := dataset.CIFAR10(numtest.Data(t))
	if err != nil {
		t.Fatal(err)
	}
	// The ten classes are of one size.
	for _, set := range []struct {
		im *dataset.Images
		n  int
	}{{train, 5000}, {test, 1000}} {
		for class, n := range counts(set.im) {
			if n != set.n {
				t.Errorf("%s: %d images of class %d, want %d", set.im.Name, n, class, set.n)
			}
		}
	}
	// The channel means that everybody normalises CIFAR-10 by: 0.4914, 0.4822,
	// 0.4465 to four digits. They do not depend on the order of the images.
	for c, want := range []float64{0.4914, 0.4822, 0.4465} {
		var sum float64
		for i := range train.N {
			for _, v := range train.Image(i)[c*1024 : (c+1)*1024] {
				sum += float64(v)
			}
		}
		numtest.Close(t, fmt.Sprintf("mean of channel %d", c), sum/float64(train.N*1024), want, 5e-5)
	}
}

func BenchmarkCIFAR10(b *testing.B) {
	dir := numtest.Data(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := dataset.CIFAR10(dir); err != nil {
			b.Fatal(err)
		}
	}
}
