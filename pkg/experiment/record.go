package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"sgdlab/internal/atomicfile"
)

// Record is the result of an experiment: the numbers, and all that is needed to judge and
// to repeat them. S are the settings, N the numbers, both plain structs for JSON.
type Record[S, N any] struct {
	Name     string  `json:"name"`               // stem of the file and of the figure, as in "fig1b"
	Command  string  `json:"command,omitempty"`  // regenerates the file; set by the program that writes it
	Revision string  `json:"revision,omitempty"` // of the source, if the program knows it
	Machine  Machine `json:"machine"`
	Settings S       `json:"settings"`
	Seconds  []Stage `json:"seconds"` // wall time
	Numbers  N       `json:"numbers"`
}

// Stage is the wall time of a part of an experiment.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// newRecord returns a record with everything but the numbers.
func newRecord[S, N any](name string, settings S, backend string) *Record[S, N] {
	return &Record[S, N]{
		Name:     name,
		Revision: revision(),
		Machine:  thisMachine(backend),
		Settings: settings,
	}
}

// stage records that the part called name began at start and ends now.
func (r *Record[S, N]) stage(name string, start time.Time) {
	r.Seconds = append(r.Seconds, Stage{name, round(time.Since(start).Seconds(), 4)})
}

// Save writes r to the file at path as JSON, atomically: one field a line, numeric arrays
// on a line of their own. It returns an error if a number is NaN or infinite.
func (r *Record[S, N]) Save(path string) error {
	data, err := r.encode()
	if err == nil {
		err = atomicfile.Write(path, data)
	}
	if err != nil {
		return fmt.Errorf("experiment: saving %s: %w", path, err)
	}
	return nil
}

func (r *Record[S, N]) encode() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(r); err != nil {
		return nil, err
	}
	return numericArray.ReplaceAllFunc(b.Bytes(), func(array []byte) []byte {
		return bytes.Join(bytes.Fields(array), nil)
	}), nil
}

// MarshalBinary returns r as [Record.Save] writes it, so that a result can be kept between
// notebook cells.
func (r *Record[S, N]) MarshalBinary() ([]byte, error) { return r.encode() }

// UnmarshalBinary reads what MarshalBinary returned.
func (r *Record[S, N]) UnmarshalBinary(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(r); err != nil {
		return fmt.Errorf("not a result of this kind: %w", err)
	}
	if rest := bytes.TrimSpace(data[decoder.InputOffset():]); len(rest) != 0 {
		return fmt.Errorf("%d bytes after its end", len(rest))
	}
	return nil
}

// numericArray is an array of numbers, indented. It begins with a line break, which no
// JSON string holds.
var numericArray = regexp.MustCompile(`\[\n[-+.\deE,\s]+\]`)

// Load reads a file that [Record.Save] wrote with the same types. A file of another
// experiment, of other settings or numbers, or one that is cut off is an error.
func Load[S, N any](path string) (*Record[S, N], error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("experiment: loading a result: %w", err)
	}
	r := new(Record[S, N])
	if err := r.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("experiment: %s: %w; make it again", path, err)
	}
	return r, nil
}

// resumed returns the record that an interrupted experiment with the same name and
// settings has saved at path, nil if there is no file, and an error that says so if the
// file is of other settings.
func resumed[S, N any](path string, want *Record[S, N]) (*Record[S, N], error) {
	got, err := Load[S, N](path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if got.Name != want.Name || got.Machine.Backend != want.Machine.Backend || plain(got.Settings) != plain(want.Settings) {
		return nil, fmt.Errorf("experiment: %s was left by a run with other settings: remove it, or choose another folder", path)
	}
	return got, nil
}

// plain returns settings as JSON knows them: callbacks and folders do not count.
func plain(settings any) string {
	data, err := json.Marshal(settings)
	if err != nil {
		panic("experiment: settings that JSON cannot write: " + err.Error())
	}
	return string(data)
}

// String names the experiment and the time it took.
func (r *Record[S, N]) String() string {
	var b strings.Builder
	var total float64
	for _, s := range r.Seconds {
		total += s.Seconds
	}
	fmt.Fprintf(&b, "%s: %.3g s on %v", r.Name, total, r.Machine)
	return b.String()
}
