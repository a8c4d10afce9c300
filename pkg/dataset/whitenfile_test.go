package dataset_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
)

func TestWhiteningFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.zca")
	if _, err := dataset.LoadWhitening(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v, want fs.ErrNotExist", err)
	}
	want := &dataset.Whitening{Mean: []float32{1, -2.5}, Filter: []float32{1, 0.25, 0.25, 3e-30}, Bias: 0.1}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := dataset.LoadWhitening(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("round trip: got %+v, %v, want %+v", got, err, want)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)-40] ^= 1
	huge := append([]byte(nil), whole...)
	copy(huge[len("sgdlab whitening 1\n"):], []byte{255, 255, 255, 255, 255, 255, 255, 255})
	for want, data := range map[string][]byte{
		"is not a whitening":   []byte("PK\x03\x04"),
		"is cut off":           whole[:30],
		"does not fit":         whole[:len(whole)-1],
		"does not fit its hea": huge,
		"wrong checksum":       flipped,
	} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.LoadWhitening(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "remove the file") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := want.Save(filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("saved into a folder that is not there")
	}
}
