package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/dataset/fetch"
)

// content is what the files to fetch hold.
var content = pattern(200_000)

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i/784)
	}
	return b
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// zipped returns b gzip'ed.
func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// source describes one file with that content.
func source(mirrors ...string) fetch.Source {
	return fetch.Source{Name: "test", Folder: "set", Mirrors: mirrors,
		Files: []fetch.File{{Name: "a.gz", Bytes: int64(len(content)), SHA256: sum(content)}}}
}

// serve answers request number i (from 0; the last handler answers the rest) and
// returns the address of the mirror and the Range headers of the requests so far.
func serve(t *testing.T, handlers ...http.HandlerFunc) (mirror string, ranges func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[min(len(seen), len(handlers)-1)]
		seen = append(seen, r.Header.Get("Range"))
		mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/", func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// whole serves b and answers Range.
func whole(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// cut declares what whole would deliver and breaks off after n bytes of it.
func cut(b []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		whole(b)(&cutter{w, n}, r)
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(b[:min(len(b), c.left)])
	if c.left -= n; c.left == 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// ignoringRange serves all of b whatever is asked.
func ignoringRange(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.Write(b) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Error(w, "an error page", code) }
}

// stall delivers n bytes and then nothing.
func stall(b []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b[:n])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// chunked serves b without declaring its length.
func chunked(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Write(b[:1])
		w.(http.Flusher).Flush()
		w.Write(b[1:])
	}
}

// unreachable is the address of a server that has gone.
func unreachable(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL + "/"
}

// files returns the paths below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Ways to the right file: what the mirrors do, what lies there before, and which
// requests are made of the first mirror.
func TestFetch(t *testing.T) {
	const half = 100_000
	rest := fmt.Sprintf("bytes=%d-", half)
	for _, tt := range []struct {
		name   string
		first  []http.HandlerFunc // the first mirror; nil means unreachable
		second http.HandlerFunc   // nil means unreachable
		part   []byte             // a.gz.part
		there  []byte             // a.gz
		ranges []string
	}{
		{"straight", []http.HandlerFunc{whole(content)}, nil, nil, nil, []string{""}},
		{"chunked", []http.HandlerFunc{chunked(content)}, nil, nil, nil, []string{""}},
		{"there already", []http.HandlerFunc{status(500)}, nil, nil, content, nil},
		{"something else there", []http.HandlerFunc{whole(content)}, nil, nil, []byte("else"), []string{""}},
		{"cut twice", []http.HandlerFunc{cut(content, half), cut(content, 50_000), whole(content)}, nil, nil, nil, []string{"", rest, "bytes=150000-"}},
		{"resumes an earlier attempt", []http.HandlerFunc{whole(content)}, nil, content[:half], nil, []string{rest}},
		{"earlier attempt had all", []http.HandlerFunc{status(500)}, nil, content, nil, nil},
		{"earlier attempt too long", []http.HandlerFunc{whole(content)}, nil, append(slices.Clone(content), 1), nil, []string{""}},
		{"earlier attempt wrong", []http.HandlerFunc{whole(content)}, nil, make([]byte, half), nil, []string{rest, ""}},
		{"earlier attempt wrong and full", []http.HandlerFunc{whole(content)}, nil, make([]byte, len(content)), nil, []string{""}},
		{"Range ignored", []http.HandlerFunc{ignoringRange(content)}, nil, content[:half], nil, []string{rest}},
		{"Range refused", []http.HandlerFunc{status(416), whole(content)}, nil, content[:half], nil, []string{rest, ""}},
		{"other Range", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(206)
		}, whole(content)}, nil, content[:half], nil, []string{rest, ""}},
		{"mirror lacks it", []http.HandlerFunc{status(404)}, whole(content), nil, nil, []string{""}},
		{"mirror is ill", []http.HandlerFunc{status(503)}, whole(content), nil, nil, []string{""}},
		{"mirror is gone", nil, whole(content), nil, nil, nil},
		{"mirror has another", []http.HandlerFunc{whole(make([]byte, len(content)))}, whole(content), nil, nil, []string{""}},
		{"mirror has a page", []http.HandlerFunc{whole([]byte("<html>log in"))}, whole(content), nil, nil, []string{""}},
		{"mirror has a longer one", []http.HandlerFunc{chunked(append(slices.Clone(content), 1))}, whole(content), nil, nil, []string{""}},
		{"mirror stalls", []http.HandlerFunc{stall(content, half), status(503)}, whole(content), nil, nil, []string{"", rest}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, second := unreachable(t), unreachable(t)
			ranges := func() []string { return nil }
			if tt.first != nil {
				first, ranges = serve(t, tt.first...)
			}
			if tt.second != nil {
				second, _ = serve(t, tt.second)
			}
			dir := filepath.Join(t.TempDir(), "not", "yet")
			path := filepath.Join(dir, "set", "a.gz")
			if tt.part != nil || tt.there != nil {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if tt.part != nil {
				write(t, path+".part", tt.part)
			}
			if tt.there != nil {
				write(t, path, tt.there)
			}
			var last fetch.Progress
			err := source(first, second).Fetch(t.Context(), dir, &fetch.Settings{
				Stall: time.Second,
				Progress: func(p fetch.Progress) {
					if p.File != "a.gz" || p.Total != 0 && p.Bytes > p.Total {
						t.Errorf("progress %+v", p)
					}
					last = p
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := files(t, dir); !slices.Equal(got, []string{"set/a.gz"}) {
				t.Errorf("files: got %v", got)
			}
			if !bytes.Equal(read(t, path), content) {
				t.Error("content differs")
			}
			if got := ranges(); !slices.Equal(got, tt.ranges) {
				t.Errorf("requests of the first mirror: got %q, want %q", got, tt.ranges)
			}
			if want := (fetch.Progress{File: "a.gz", Bytes: 200_000, Total: 200_000}); last != want {
				t.Errorf("last progress: got %+v, want %+v", last, want)
			}
		})
	}
}

// Each failure is one sentence with every mirror's reason and a remedy; a file
// that was there stays, and what has arrived stays for the next time unless it is
// wrong.
func TestFetchFails(t *testing.T) {
	const half = 100_000
	zeros := make([]byte, len(content))
	for _, tt := range []struct {
		name     string
		handlers []http.HandlerFunc
		stall    time.Duration
		want     string
		part     int // bytes kept in a.gz.part
	}{
		{"404", []http.HandlerFunc{status(404)}, 0, "it answers 404 Not Found", 0},
		{"500", []http.HandlerFunc{status(500)}, 0, "it answers 500 Internal Server Error", 0},
		{"416", []http.HandlerFunc{cut(content, half), status(416)}, 0, "it answers 416 Requested Range Not Satisfiable to a request for the whole file", 0},
		{"checksum", []http.HandlerFunc{whole(zeros)}, 0, "its SHA-256 is " + sum(zeros) + ", want " + sum(content) + " (the download is discarded, nothing else is touched)", 0},
		{"length", []http.HandlerFunc{whole(content[:half])}, 0, "it offers 100000 bytes, want 200000", 0},
		{"shorter", []http.HandlerFunc{chunked(content[:half])}, 0, "the connection ended after 100000 of 200000 bytes", half},
		{"longer", []http.HandlerFunc{chunked(append(slices.Clone(content), 1))}, 0, "it delivers more than 200000 bytes", 0},
		{"breaks for ever", []http.HandlerFunc{cut(content, 1000)}, 0, "the connection broke 20 times", 20_000},
		{"stall at once", []http.HandlerFunc{stall(content, 0)}, 50 * time.Millisecond, "it delivered nothing for 50ms", 0},
		{"stall", []http.HandlerFunc{stall(content, half), status(503)}, time.Second, "it answers 503 Service Unavailable", half},
		{"no network", nil, 0, "connection refused", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mirror := unreachable(t)
			if tt.handlers != nil {
				mirror, _ = serve(t, tt.handlers...)
			}
			other := unreachable(t)
			dir := t.TempDir()
			folder := filepath.Join(dir, "set")
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, "a.gz"), []byte("mine"))
			err := source(mirror, other).Fetch(t.Context(), dir, &fetch.Settings{Stall: tt.stall})
			if err == nil {
				t.Fatal("no error")
			}
			message := err.Error()
			for _, want := range []string{
				"fetch: a.gz could not be fetched: " + mirror + "a.gz: ",
				tt.want,
				"; " + other + "a.gz: ",
				": check the network, or put the file into " + folder + " by hand",
				"; the file that is there has not the published SHA-256, but is read all the same",
			} {
				if !strings.Contains(message, want) {
					t.Errorf("got %s\nwhich lacks %s", message, want)
				}
			}
			if strings.Contains(message, "\n") {
				t.Errorf("more than one line: %s", message)
			}
			if got := read(t, filepath.Join(folder, "a.gz")); string(got) != "mine" {
				t.Error("the file that was there is gone")
			}
			part := filepath.Join(folder, "a.gz.part")
			if tt.part == 0 {
				if _, err := os.Stat(part); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is there without a byte that has arrived", part)
				}
			} else if got := read(t, part); len(got) != tt.part || !bytes.Equal(got, content[:tt.part]) {
				t.Errorf("kept %d bytes, want the first %d", len(got), tt.part)
			}
		})
	}
}

// Without a size to compare with, the checksum decides.
func TestFetchUnknownSize(t *testing.T) {
	for _, handler := range []http.HandlerFunc{whole(content), chunked(content)} {
		mirror, _ := serve(t, handler)
		src := source(mirror)
		src.Files[0].Bytes = 0
		if err := src.Fetch(t.Context(), t.TempDir(), nil); err != nil {
			t.Error(err)
		}
	}
}

// A cancelled fetch stops at once, says what is kept, and is resumed by the next.
func TestFetchCancelled(t *testing.T) {
	mirror, ranges := serve(t, stall(content, 100_000), whole(content))
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	err := source(mirror, mirror).Fetch(ctx, dir, &fetch.Settings{Progress: func(p fetch.Progress) {
		if p.Bytes > 0 || p.Total > 0 {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if want := "fetch: a.gz could not be fetched: context canceled: the next fetch goes on after the 100000 bytes that have arrived"; err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := source(mirror).Fetch(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=100000-"}; !slices.Equal(ranges(), want) {
		t.Errorf("requests: got %q, want %q", ranges(), want)
	}
}

func TestFetchDisk(t *testing.T) {
	mirror, _ := serve(t, whole(content))
	t.Run("full", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("no /dev/full to stand for a full disk")
		}
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "set"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/dev/full", filepath.Join(dir, "set", "a.gz.part")); err != nil {
			t.Fatal(err)
		}
		err := source(mirror, mirror).Fetch(t.Context(), dir, nil)
		if err == nil || !strings.Contains(err.Error(), "no space left on device: make room or give a directory that can be written to") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a file for the directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		write(t, path, nil)
		err := source(mirror).Fetch(t.Context(), path, nil)
		if err == nil || !strings.Contains(err.Error(), "not a directory: make room or give a directory that can be written to") && runtime.GOOS == "linux" {
			t.Errorf("got %v", err)
		}
	})
}

func TestFetchMisuse(t *testing.T) {
	if err := fetch.Dataset(t.Context(), "mnits", t.TempDir(), nil); err == nil ||
		err.Error() != `fetch: there is no data set "mnits" to fetch: choose one of mnist, cifar10, cifar100` {
		t.Errorf("unknown name: got %v", err)
	}
	if err := fetch.Dataset(t.Context(), "mnist", "", nil); err == nil ||
		!strings.Contains(err.Error(), "no data directory") {
		t.Errorf("no directory: got %v", err)
	}
	if err := source().Fetch(t.Context(), t.TempDir(), nil); err == nil ||
		!strings.Contains(err.Error(), "no address is known") {
		t.Errorf("no mirrors: got %v", err)
	}
}

// Every entry of the manifest is whole, and a fetch of MNIST ends in what MNIST
// reads.
func TestSources(t *testing.T) {
	var names []string
	for _, src := range fetch.Sources() {
		names = append(names, src.Name)
		if src.Title == "" || src.Authors == "" || src.Licence == "" || src.Home == "" || src.Folder == "" || len(src.Mirrors) == 0 {
			t.Errorf("%s: incomplete: %+v", src.Name, src)
		}
		for _, mirror := range src.Mirrors {
			if !strings.HasPrefix(mirror, "https://") || !strings.HasSuffix(mirror, "/") {
				t.Errorf("%s: mirror %s", src.Name, mirror)
			}
		}
		for _, f := range src.Files {
			if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != sha256.Size {
				t.Errorf("%s: sha256 %q", f.Name, f.SHA256)
			}
			for _, m := range f.Members {
				if int64(m.Shape[0]*m.Shape[1]) != m.Bytes {
					t.Errorf("%s: shape %v, %d bytes", m.Name, m.Shape, m.Bytes)
				}
			}
		}
	}
	if want := []string{"mnist", "cifar10", "cifar100"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}

	src := fetch.Sources()[0]
	contents := map[string][]byte{}
	for i, f := range src.Files {
		f.Shape[0] = 3 // images
		b := zipped(idx(f.Shape))
		contents["/"+f.Name] = b
		src.Files[i].Bytes, src.Files[i].SHA256 = int64(len(b)), sum(b)
	}
	mirror, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { whole(contents[r.URL.Path])(w, r) })
	src.Mirrors = []string{mirror}
	dir := t.TempDir()
	if err := src.Fetch(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	train, _, err := dataset.MNIST(dir)
	if err != nil {
		t.Fatal(err)
	}
	if train.N != 3 {
		t.Errorf("got %d images, want 3", train.N)
	}
}

// entry is an entry of a tar to make.
type entry struct {
	name string
	body []byte
	kind byte   // 0 means a regular file
	link string // its target
}

func tarGz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body))}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.body); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	return out.Bytes()
}

// idx returns an IDX file of zeros.
func idx(shape []int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	size := 1
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		size *= n
	}
	return append(b, make([]byte, size)...)
}

// archive describes a tar.gz with members one and two in the folder set.
func archive(b []byte, mirrors ...string) fetch.Source {
	return fetch.Source{Name: "test", Folder: "set", Mirrors: mirrors, Files: []fetch.File{{
		Name: "set.tar.gz", SHA256: sum(b), Members: []fetch.File{{Name: "one", Bytes: 3}, {Name: "two", Bytes: 5}},
	}}}
}

func TestFetchArchive(t *testing.T) {
	b := tarGz(t,
		entry{name: "set/", kind: tar.TypeDir},
		entry{name: "set/readme.html", body: []byte("read me")},
		entry{name: "./set/two", body: []byte("22222")},
		entry{name: "set/one", body: []byte("111")},
	)
	mirror, ranges := serve(t, whole(b))
	src := archive(b, mirror)
	check := func(dir string, requests int, want ...string) {
		t.Helper()
		if err := src.Fetch(t.Context(), dir, nil); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); !slices.Equal(got, want) {
			t.Errorf("files: got %v, want %v", got, want)
		}
		if one, two := read(t, filepath.Join(dir, "set", "one")), read(t, filepath.Join(dir, "set", "two")); string(one) != "111" || string(two) != "22222" {
			t.Errorf("got %q, %q", one, two)
		}
		if got := len(ranges()); got != requests {
			t.Errorf("got %d requests, want %d", got, requests)
		}
	}
	dir := t.TempDir()
	check(dir, 1, "set/one", "set/two")
	check(dir, 1, "set/one", "set/two") // nothing to do
	write(t, filepath.Join(dir, "set", "one"), []byte("1"))
	check(dir, 2, "set/one", "set/two") // a member is short: fetched again

	byHand := t.TempDir() // an archive that the user put there is used and kept
	write(t, filepath.Join(byHand, "set.tar.gz"), b)
	check(byHand, 2, "set/one", "set/two", "set.tar.gz")
}

// What is wrong with an archive is told, and nothing of it is unpacked.
func TestFetchArchiveRefuses(t *testing.T) {
	one, two := entry{name: "set/one", body: []byte("111")}, entry{name: "set/two", body: []byte("22222")}
	good := tarGz(t, one, two)
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"member missing", tarGz(t, one), "it lacks set/two"},
		{"traversal", tarGz(t, one, entry{name: "../set/two", body: two.body}), "it lacks set/two"},
		{"link", tarGz(t, one, entry{name: "set/two", kind: tar.TypeSymlink, link: "/etc/passwd"}), "its two is not a regular file"},
		{"too long", tarGz(t, one, entry{name: "set/two", body: []byte("222222")}), "its two has 6 bytes, more than 5"},
		{"too short", tarGz(t, one, entry{name: "set/two", body: []byte("2222")}), "its two has 4 bytes, want 5"},
		{"cut", good[:len(good)-30], "it is cut short"},
		{"no gzip", []byte("<html>log in</html>"), "it cannot be read: gzip: invalid header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mirror, _ := serve(t, whole(tt.b))
			dir := t.TempDir()
			err := archive(tt.b, mirror).Fetch(t.Context(), dir, nil)
			if err == nil || err.Error() != "fetch: set.tar.gz could not be fetched: unpacking: "+tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if got := files(t, dir); !slices.Equal(got, []string{"set.tar.gz"}) {
				t.Errorf("files: got %v", got)
			}
		})
	}
}

func ExampleDataset() {
	dir := dataset.Dir("") // the user's cache
	err := fetch.Dataset(context.Background(), "mnist", dir, &fetch.Settings{
		Progress: func(p fetch.Progress) {
			fmt.Printf("\r%s %d of %d bytes", p.File, p.Bytes, p.Total)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	train, _, err := dataset.MNIST(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.N, "images")
}
