package notebook

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Settings are the settings of [Run]; nil or zero fields mean the defaults.
type Settings struct {
	Name        string         // of the chapter, for errors; default "notebook"
	CellTimeout time.Duration  // for each cell; default ten minutes
	Progress    func(Progress) // called when a cell begins and when it has ended; default: nobody is told
	Kernel      KernelSettings
}

// Progress says where a run is.
type Progress struct {
	Cell, Cells int // the number of the code cell, from 1, and how many there are
	Source      string
	Ended       bool    // the cell has ended
	Seconds     float64 // that it took, then
	Failed      bool    // then
}

// Result is a run.
type Result struct {
	Notebook     *Notebook // with the outputs of all cells that have run
	Cells        int       // code cells that have run
	StartSeconds float64   // until the kernel answered
	Seconds      float64   // from the start of the kernel to its end
	CellSeconds  []float64 // of each cell of Notebook; 0 where nothing ran
}

// CellError says which cell of which chapter has failed, and why in its own words.
type CellError struct {
	Name  string // of the chapter
	Cell  int    // position among all cells, from 1
	Count int    // the n of In [n]; 0 if unknown
	Words string
	Err   error // time-out, end of the context or death of the kernel; nil if the cell has failed by itself
}

func (e *CellError) Error() string {
	where := fmt.Sprintf("%s, cell %d", e.Name, e.Cell)
	if e.Count > 0 {
		where += fmt.Sprintf(" (In [%d])", e.Count)
	}
	return where + ": " + e.Words
}

func (e *CellError) Unwrap() error { return e.Err }

// ErrTimeout is the reason of a [CellError] for a cell that took too long.
var ErrTimeout = errors.New("the cell was stopped")

// Run executes the code cells of nb in order in a fresh kernel, and returns a copy of nb
// with their outputs and with the kernel's language_info. Cells with the tag
// skip-execution stay as they are, cells with the tag raises-exception may fail.
//
// At the first other cell that fails the run stops with a [*CellError]; the result then
// holds the outputs up to it, those of the cell included, and the cells after it have
// none. Running out of CellTimeout is a failure that no tag allows.
//
// Names of temporary folders are taken out of text outputs, so that two runs give the
// same notebook if the cells print the same.
func Run(ctx context.Context, nb *Notebook, spec *Spec, settings *Settings) (*Result, error) {
	s := Settings{}
	if settings != nil {
		s = *settings
	}
	if s.Name == "" {
		s.Name = "notebook"
	}
	if s.CellTimeout == 0 {
		s.CellTimeout = 10 * time.Minute
	}
	if s.Progress == nil {
		s.Progress = func(Progress) {}
	}
	r := &Result{Notebook: nb.Clone(), CellSeconds: make([]float64, len(nb.Cells))}
	var todo []int
	for i, c := range r.Notebook.Cells {
		if c.Type != Code || c.HasTag("skip-execution") {
			continue
		}
		c.Outputs, c.ExecutionCount = nil, 0
		if strings.TrimSpace(c.Source) != "" {
			todo = append(todo, i)
		}
	}
	begin := time.Now()
	k, err := Start(ctx, spec, &s.Kernel)
	r.StartSeconds = time.Since(begin).Seconds()
	if err != nil {
		return r, fmt.Errorf("%s: %w", s.Name, err)
	}
	if info := k.LanguageInfo(); len(info) > 0 {
		if r.Notebook.Metadata == nil {
			r.Notebook.Metadata = map[string]any{}
		}
		r.Notebook.Metadata["language_info"] = info
	}
	for n, i := range todo {
		p := Progress{Cell: n + 1, Cells: len(todo), Source: r.Notebook.Cells[i].Source}
		s.Progress(p)
		err = r.runCell(ctx, k, i, &s)
		p.Ended, p.Seconds, p.Failed = true, r.CellSeconds[i], err != nil
		s.Progress(p)
		if err != nil {
			break
		}
	}
	if e := k.Close(); err == nil && e != nil {
		err = fmt.Errorf("%s: %w", s.Name, e)
	}
	r.Seconds = time.Since(begin).Seconds()
	return r, err
}

func (r *Result) runCell(ctx context.Context, k *Kernel, i int, s *Settings) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.CellTimeout, fmt.Errorf("%w: it ran longer than %v", ErrTimeout, s.CellTimeout))
	defer cancel()
	cell := r.Notebook.Cells[i]
	reply, err := k.Execute(ctx, cell.Source)
	r.Cells++
	r.CellSeconds[i] = reply.Seconds
	cell.Outputs, cell.ExecutionCount = reply.Outputs, reply.ExecutionCount
	for _, o := range cell.Outputs {
		o.scrub(k.process.dir)
	}
	failure := &CellError{Name: s.Name, Cell: i + 1, Count: reply.ExecutionCount, Err: err}
	switch {
	case err != nil:
		failure.Words = strings.TrimPrefix(err.Error(), "notebook: ")
		return failure
	case reply.Status == "ok" || cell.HasTag("raises-exception"):
		return nil
	}
	failure.Words = Words(reply)
	return failure
}

// gonbName is the random name of a GoNB session, of its folder and its programs.
var gonbName = regexp.MustCompile(`\bgonb_[0-9a-f]{8}\b`)

// scrub takes the names of temporary folders out of texts.
func (o *Output) scrub(dir string) {
	clean := func(s string) string {
		if !strings.Contains(s, "gonb_") && !strings.Contains(s, dir) {
			return s
		}
		s = gonbName.ReplaceAllString(s, "gonb")
		return strings.NewReplacer(dir+"/gonb/gonb", "gonb", dir+"/gonb/", "", dir+"/", "").Replace(s)
	}
	o.Text, o.Evalue = clean(o.Text), clean(o.Evalue)
	for i, line := range o.Traceback {
		o.Traceback[i] = clean(line)
	}
	for mime, v := range o.Data {
		if s, ok := v.(string); ok && strings.HasPrefix(mime, "text/") {
			o.Data[mime] = clean(s)
		}
	}
}
