package dataset_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sgdlab/data"
	"sgdlab/pkg/dataset"
	"sgdlab/pkg/dataset/internal/pool7"
	"sgdlab/pkg/internal/numtest"
)

// idx returns an IDX file of bytes.
func idx(dims []int, values []byte) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, n := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, values...)
}

// zipped returns b gzip'ed.
func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	trainImages = "train-images-idx3-ubyte"
	trainLabels = "train-labels-idx1-ubyte"
	testImages  = "t10k-images-idx3-ubyte"
	testLabels  = "t10k-labels-idx1-ubyte"
)

// bytesOf returns n bytes that differ from image to image and reach 0 and 255.
func bytesOf(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i/784 + seed)
	}
	return b
}

// small returns the four files of an MNIST with three training images and two
// test images.
func small() map[string][]byte {
	return map[string][]byte{
		trainImages: idx([]int{3, 28, 28}, bytesOf(3*784, 1)),
		trainLabels: idx([]int{3}, []byte{9, 0, 4}),
		testImages:  idx([]int{2, 28, 28}, bytesOf(2*784, 2)),
		testLabels:  idx([]int{2}, []byte{1, 2}),
	}
}

// Plain or gzip'ed, in the directory or its folder mnist, with the ending that
// fits the content or not.
func TestMNISTFindsAndReads(t *testing.T) {
	for _, layout := range []struct{ name, folder, suffix string }{
		{"plain", "", ""},
		{"gzip'ed", "", ".gz"},
		{"plain in mnist", "mnist", ""},
		{"gzip'ed in mnist", "mnist", ".gz"},
	} {
		for _, zip := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, content gzip'ed %t", layout.name, zip), func(t *testing.T) {
				dir := t.TempDir()
				folder := filepath.Join(dir, layout.folder)
				if err := os.MkdirAll(folder, 0o755); err != nil {
					t.Fatal(err)
				}
				for name, content := range small() {
					if zip {
						content = zipped(content)
					}
					write(t, filepath.Join(folder, name+layout.suffix), content)
				}
				train, test, err := dataset.MNIST(dir)
				if err != nil {
					t.Fatal(err)
				}
				check := func(name string, im *dataset.Images, pixels, labels []byte) {
					t.Helper()
					if im.Name != name || im.N != len(labels) || im.Channels != 1 || im.Height != 28 || im.Width != 28 || im.Classes != 10 {
						t.Errorf("got %q, %d×%d×%d×%d, %d classes", im.Name, im.N, im.Channels, im.Height, im.Width, im.Classes)
					}
					if !slices.Equal(im.Labels, labels) {
						t.Errorf("labels: got %v, want %v", im.Labels, labels)
					}
					for i, p := range pixels {
						if want := float32(p) / 255; im.Pixels[i] != want {
							t.Fatalf("pixel %d: got %g, want %g", i, im.Pixels[i], want)
						}
					}
				}
				check("MNIST train", train, bytesOf(3*784, 1), []byte{9, 0, 4})
				check("MNIST test", test, bytesOf(2*784, 2), []byte{1, 2})
			})
		}
	}
}

func TestMNISTRefusesBadFiles(t *testing.T) {
	images := small()[trainImages]
	bomb := func() []byte { // declares 3 images, unpacks to 64 MiB
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(images)
		z.Write(make([]byte, 1<<26))
		z.Close()
		return out.Bytes()
	}
	badSum := zipped(images)
	badSum[len(badSum)-6] ^= 1
	for _, tt := range []struct {
		name, file string
		content    []byte
		want       string
	}{
		{"empty", trainImages, nil, "it is empty"},
		{"two bytes", trainImages, []byte{0, 0}, "it is cut short within its first 4 bytes"},
		{"cut header", trainImages, images[:9], "it is cut short within its header"},
		{"cut data", trainImages, images[:1000], "it is cut short: its header declares 2352 bytes of data, it holds 984"},
		{"header only", trainImages, images[:16], "it is cut short: its header declares 2352 bytes of data, it holds 0"},
		{"cut gzip", trainImages, zipped(images)[:200], "it is cut short: its header declares 2352 bytes of data, it holds "},
		{"cut gzip checksum", trainImages, zipped(images)[:len(zipped(images))-3], "its gzip stream lacks its end or goes on after it"},
		{"cut gzip header", trainImages, zipped(images)[:5], "it cannot be read: unexpected EOF"},
		{"gzip of nothing", trainImages, zipped(nil), "it is empty"},
		{"wrong gzip checksum", trainImages, badSum, "it cannot be read: gzip: invalid checksum"},
		{"garbage after gzip", trainImages, append(zipped(images), "tail"...), "its gzip stream lacks its end or goes on after it"},
		{"more garbage after gzip", trainImages, append(zipped(images), "a longer tail"...), "it cannot be read: gzip: invalid header"},
		{"garbage", trainImages, []byte("<!DOCTYPE html><html>Not found"), "it begins with 3c 21 44 4f, but an IDX file of bytes in 3 dimension(s) begins with 00 00 08 03"},
		{"labels for images", trainImages, small()[trainLabels], "it begins with 00 00 08 01, but"},
		{"images for labels", trainLabels, images, "it begins with 00 00 08 03, but"},
		{"trailing byte", trainImages, append(slices.Clone(images), 0), "it goes on after the 2352 bytes of data that its header declares"},
		{"bomb", trainImages, bomb(), "it goes on after the 2352 bytes of data that its header declares"},
		{"huge", trainImages, idx([]int{1 << 20, 28, 28 << 10}, nil), "its header declares more than 1073741824 bytes"},
		{"overflowing", trainImages, idx([]int{1 << 31, 1 << 31, 1 << 31}, nil), "its header declares more than 1073741824 bytes"},
		{"no images", trainImages, idx([]int{0, 28, 28}, nil), "it holds no images"},
		{"other size", trainImages, idx([]int{3, 32, 32}, make([]byte, 3072)), "its images are 32×32, those of MNIST 28×28"},
		{"other count", trainImages, idx([]int{2, 28, 28}, make([]byte, 2*784)), "it holds 2 images, but "},
		{"label 10", trainLabels, idx([]int{3}, []byte{1, 10, 2}), "label 1 is 10, not a digit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range small() {
				write(t, filepath.Join(dir, name), content)
			}
			path := filepath.Join(dir, tt.file)
			write(t, path, tt.content)
			train, test, err := dataset.MNIST(dir)
			if err == nil || train != nil || test != nil {
				t.Fatalf("got %v, %v, error %v", train, test, err)
			}
			message := err.Error()
			if !strings.HasPrefix(message, "dataset: "+path+" is not a file of MNIST: "+tt.want) {
				t.Errorf("got  %s\nwant %s", message, tt.want)
			}
			if !strings.HasSuffix(message, "get it with `sgdlab data fetch mnist` or give another directory") {
				t.Errorf("no remedy in: %s", message)
			}
			if strings.Contains(message, "\n") {
				t.Errorf("more than one line: %s", message)
			}
		})
	}
}

// A bomb that declares little is refused after reading what it declares: memory
// stays near the 2,352 declared bytes although 256 MiB would come out.
func TestMNISTReadsNoMoreThanDeclared(t *testing.T) {
	dir := t.TempDir()
	for name, content := range small() {
		write(t, filepath.Join(dir, name), content)
	}
	f, err := os.Create(filepath.Join(dir, trainImages))
	if err != nil {
		t.Fatal(err)
	}
	z, _ := gzip.NewWriterLevel(f, gzip.BestSpeed)
	z.Write(small()[trainImages])
	zeros := make([]byte, 1<<20)
	for range 1 << 8 {
		z.Write(zeros)
	}
	z.Close()
	f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err = dataset.MNIST(dir); err == nil {
		t.Error("accepted")
	}
	runtime.ReadMemStats(&after)
	// Buffers and inflate tables of four files are below 1 MB; the bomb holds 256 MiB.
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("allocated %d bytes, want at most 8 MiB", got)
	}
}

func TestMNISTDirectory(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	empty := t.TempDir()
	partial := t.TempDir()
	if err := os.Mkdir(filepath.Join(partial, "mnist"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range small() {
		if name != testLabels {
			write(t, filepath.Join(partial, "mnist", name), content)
		}
	}
	const remedy = "get it with `sgdlab data fetch mnist` or give another directory"
	for _, tt := range []struct{ name, dir, want string }{
		{"none", "", "dataset: no data directory: give one, because the user has no cache directory"},
		{"missing", missing, "dataset: the data directory " + missing + " does not exist: " + remedy},
		{"a file", file, "dataset: " + file + " is a file: give the directory that holds it"},
		{"empty", empty, "dataset: " + empty + " has neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz: " + remedy},
		{"one missing", partial, "dataset: " + filepath.Join(partial, "mnist") + " has neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz: " + remedy},
	} {
		if _, _, err := dataset.MNIST(tt.dir); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestDir(t *testing.T) {
	if got := dataset.Dir("somewhere"); got != "somewhere" {
		t.Errorf("explicit: got %q", got)
	}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("LocalAppData", cache)
	if got := dataset.Dir(""); !strings.HasPrefix(got, cache) || !strings.HasSuffix(got, filepath.Join("sgdlab", "data")) {
		t.Errorf("default: got %q, want sgdlab/data within %q", got, cache)
	}
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_CACHE_HOME", "")
		t.Setenv("HOME", "")
		if got := dataset.Dir(""); got != "" {
			t.Errorf("no cache directory: got %q", got)
		}
	}
}

// The counts of the ten digits as published with MNIST.
var (
	trainCounts = []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}
	testCounts  = []int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}
)

func counts(im *dataset.Images) []int {
	n := make([]int, im.Classes)
	for _, label := range im.Labels {
		n[label]++
	}
	return n
}

func TestMNIST7(t *testing.T) {
	train, test, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		im     *dataset.Images
		counts []int
	}{{train, trainCounts}, {test, testCounts}} {
		im := set.im
		if im.Channels != 1 || im.Height != 7 || im.Width != 7 || im.Classes != 10 || len(im.Pixels) != 49*im.N {
			t.Errorf("%s: got %d×%d×%d, %d classes, %d pixels for %d images", im.Name, im.Channels, im.Height, im.Width, im.Classes, len(im.Pixels), im.N)
		}
		if got := counts(im); !slices.Equal(got, set.counts) {
			t.Errorf("%s: got %v images of each digit, want %v", im.Name, got, set.counts)
		}
		if lo, hi := slices.Min(im.Pixels), slices.Max(im.Pixels); lo != 0 || hi > 1 {
			t.Errorf("%s: pixels from %g to %g, want within [0,1]", im.Name, lo, hi)
		}
	}
	// The network tiny-fc of the paper trains on 30,596 images.
	if got := train.Digits(0, 1, 2, 3, 4).N; got != 30596 {
		t.Errorf("digits 0–4: got %d images, want 30596", got)
	}
}

// What is embedded is what the manifest says.
func TestEmbeddedChecksums(t *testing.T) {
	var manifest struct {
		Embedded []struct {
			Name, SHA256 string
			Bytes        int
			Shape        []int
		}
	}
	if err := json.Unmarshal([]byte(data.Manifest), &manifest); err != nil {
		t.Fatal(err)
	}
	content := map[string]string{"mnist7/train.bin": data.MNIST7Train, "mnist7/test.bin": data.MNIST7Test}
	for _, e := range manifest.Embedded {
		packed := content[e.Name]
		sum := sha256.Sum256([]byte(packed))
		if got := hex.EncodeToString(sum[:]); got != e.SHA256 || len(packed) != e.Bytes {
			t.Errorf("%s: got sha256 %s, %d bytes; the manifest says %s, %d", e.Name, got, len(packed), e.SHA256, e.Bytes)
		}
		delete(content, e.Name)
	}
	if len(content) != 0 {
		t.Errorf("not in the manifest: %v", content)
	}
}

// The embedded files from the real ones, bit for bit; the pixels by the other
// road, MeanPool; and the real bytes are the official ones.
func TestMNIST7FromTheRealFiles(t *testing.T) {
	dir := numtest.Data(t)
	train, test, err := dataset.MNIST(dir)
	if err != nil {
		t.Fatal(err)
	}
	train7, test7, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		im, im7        *dataset.Images
		packed, sha256 string
	}{
		{train, train7, data.MNIST7Train, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		{test, test7, data.MNIST7Test, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
	} {
		if got := pool7.Encode(pool7.Sums(set.im.Pixels), set.im.Labels); string(got) != set.packed {
			t.Errorf("%s: the embedded file is not the one that %s gives", set.im.Name, dir)
		}
		bytes := make([]byte, len(set.im.Pixels))
		for i, v := range set.im.Pixels {
			bytes[i] = byte(math.Round(255 * float64(v)))
		}
		sum := sha256.Sum256(idx([]int{set.im.N, 28, 28}, bytes))
		if got := hex.EncodeToString(sum[:]); got != set.sha256 {
			t.Errorf("%s: sha256 of the unpacked file: got %s, want %s", set.im.Name, got, set.sha256)
		}
		pooled := set.im.MeanPool(4)
		if !slices.Equal(pooled.Labels, set.im7.Labels) {
			t.Errorf("%s: labels differ", set.im.Name)
		}
		for i, want := range pooled.Pixels {
			// Pixels in [0,1] rounded to float32 before the mean and once after: 2⁻²⁴ in all.
			if got := set.im7.Pixels[i]; math.Abs(float64(got)-float64(want)) > 0x1p-24 {
				t.Fatalf("%s: pixel %d: got %.9g, MeanPool gives %.9g, tolerance %g", set.im.Name, i, got, want, 0x1p-24)
			}
		}
	}
}

func BenchmarkMNIST7(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := dataset.MNIST7(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMNIST(b *testing.B) {
	dir := numtest.Data(b)
	plain := b.TempDir()
	for name := range small() {
		f, err := os.Open(filepath.Join(dir, "mnist", name+".gz"))
		if err != nil {
			b.Skipf("no gzip'ed MNIST in SGDLAB_DATA: %v", err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		content, err := io.ReadAll(z)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
		write(b, filepath.Join(plain, name), content)
	}
	for _, form := range []struct{ name, dir string }{{"gzip", dir}, {"plain", plain}} {
		b.Run(form.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := dataset.MNIST(form.dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
