package targz_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset/internal/targz"
)

// entry is an entry of a tar to make.
type entry struct {
	name string
	body []byte
	kind byte   // 0 means a regular file
	link string // its target
	size int64  // declared, where not len(body)
}

func tarGz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: e.kind, Linkname: e.link, Size: max(e.size, int64(len(e.body)))}
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
	w.Close() // complains where a body is shorter than declared
	z.Close()
	return out.Bytes()
}

var (
	one = entry{name: "set/one", body: []byte("111")}
	two = entry{name: "set/two", body: []byte("22222")}
)

// read reads the members one and two, of at most 5 bytes.
func read(b []byte) (got []string, err error) {
	err = targz.Read(bytes.NewReader(b), "set", []string{"one", "two"}, 5, func(name string, size int64, r io.Reader) error {
		content, err := io.ReadAll(r)
		if err == nil && int64(len(content)) != size {
			err = errors.New("size differs")
		}
		got = append(got, name+" "+string(content))
		return err
	})
	return got, err
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		entries []entry
		want    []string
	}{
		{"in order", []entry{one, two}, []string{"one 111", "two 22222"}},
		{"other order", []entry{two, one}, []string{"two 22222", "one 111"}},
		{"with others", []entry{{name: "set/", kind: tar.TypeDir}, one, {name: "set/readme", body: make([]byte, 1<<20)}, {name: "/etc/two", body: []byte("x")}, two, {name: "set/l", kind: tar.TypeSymlink, link: "/"}}, []string{"one 111", "two 22222"}},
		{"with a dot", []entry{{name: "./set/one", body: one.body}, two}, []string{"one 111", "two 22222"}},
		{"empty member", []entry{{name: "set/one"}, two}, []string{"one ", "two 22222"}},
	} {
		got, err := read(tarGz(t, tt.entries...))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := tarGz(t, one, two)
	bomb := entry{name: "set/zeros", body: make([]byte, 17<<20)}
	badSum := slices.Clone(good)
	badSum[len(badSum)-6] ^= 1
	var noTar bytes.Buffer
	z := gzip.NewWriter(&noTar)
	z.Write(bytes.Repeat([]byte("no tar "), 300))
	z.Close()
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"member missing", tarGz(t, one), "it lacks set/two"},
		{"both missing", tarGz(t), "it lacks set/one, two"},
		{"elsewhere", tarGz(t, one, entry{name: "two", body: two.body}), "it lacks set/two"},
		{"traversal", tarGz(t, one, entry{name: "../set/two", body: two.body}), "it lacks set/two"},
		{"traversal within", tarGz(t, one, entry{name: "set/../../set/two", body: two.body}), "it lacks set/two"},
		{"absolute", tarGz(t, one, entry{name: "/set/two", body: two.body}), "it lacks set/two"},
		{"symbolic link", tarGz(t, one, entry{name: "set/two", kind: tar.TypeSymlink, link: "/etc/passwd"}), "its two is not a regular file"},
		{"hard link", tarGz(t, one, entry{name: "set/two", kind: tar.TypeLink, link: "set/one"}), "its two is not a regular file"},
		{"linked folder", tarGz(t, entry{name: "set", kind: tar.TypeSymlink, link: "/tmp"}, one), "it lacks set/two"},
		{"directory", tarGz(t, one, entry{name: "set/two", kind: tar.TypeDir}), "its two is not a regular file"},
		{"twice", tarGz(t, one, two, two), "its two is there twice"},
		{"too long", tarGz(t, one, entry{name: "set/two", body: []byte("222222")}), "its two has 6 bytes, more than 5"},
		{"bomb before", tarGz(t, one, bomb, two), "it unpacks to more than 16777226 bytes"},
		{"bomb after", tarGz(t, one, two, bomb), "it unpacks to more than 16777226 bytes"},
		{"cut", good[:len(good)-30], "it is cut short"},
		{"cut within a member", tarGz(t, one, entry{name: "set/two", size: 5}), "it is cut short"},
		{"cut at once", good[:5], "it is cut short"},
		{"empty", nil, "it is empty"},
		{"checksum of gzip", badSum, "it cannot be read: gzip: invalid checksum"},
		{"no gzip", []byte("<html>log in</html>"), "it cannot be read: gzip: invalid header"},
		{"no tar", noTar.Bytes(), "it cannot be read: archive/tar: invalid tar header"},
	} {
		if _, err := read(tt.b); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// The caller's own error comes back as it is.
func TestReadStops(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	err := targz.Read(bytes.NewReader(tarGz(t, one, two)), "set", []string{"one", "two"}, 5, func(string, int64, io.Reader) error {
		calls++
		return stop
	})
	if err != stop || calls != 1 {
		t.Errorf("got %v after %d calls, want %v after 1", err, calls, stop)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(tarGz(f, one, two))
	f.Add(tarGz(f, one, two)[:60])
	f.Add(tarGz(f, two, entry{name: "../set/one", kind: tar.TypeLink, link: "/etc/passwd"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := read(b)
		if err == nil && len(got) != 2 {
			t.Errorf("accepted with %q", got)
		}
		for _, g := range got {
			if name, content, _ := strings.Cut(g, " "); name != "one" && name != "two" || len(content) > 5 {
				t.Errorf("took %q", g)
			}
		}
	})
}
