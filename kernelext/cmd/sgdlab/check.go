package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"sgdlab/internal/atomicfile"
	"sgdlab/kernelext/notebook"
)

// notebookLimit is the size up to which a notebook with its outputs is committed, in bytes.
const notebookLimit = 300_000

// checked returns the judge that compares a run with the outputs in the file. Pictures that
// differ go into a folder of that chapter in out, unless out is empty.
func (r *runner) checked(out string) judge {
	return func(path string, ran *notebook.Result) (string, []string, error) {
		saved, err := notebook.ReadFile(path)
		if err != nil {
			return "", nil, err
		}
		if !hasOutputs(saved) {
			return "not compared, it has no outputs yet: sgdlab run --save " + stem(path), nil, nil
		}
		differences := notebook.Compare(saved, ran.Notebook, nil)
		if code := savedCode(saved); code != "" && code != saved.CodeDigest() {
			differences = append(differences, notebook.Difference{What: "the code has changed since the outputs were saved"})
		}
		if info, err := os.Stat(path); err == nil && info.Size() > notebookLimit {
			differences = append(differences, notebook.Difference{What: fmt.Sprintf("the file has %d kB, more than %d kB: sgdlab run --save %s",
				info.Size()/1000, notebookLimit/1000, stem(path))})
		}
		if len(differences) == 0 {
			return "as saved", nil, nil
		}
		var trouble []string
		last := 0
		for _, d := range differences {
			if d.Cell == 0 {
				trouble = append(trouble, d.What)
				continue
			}
			if d.Cell != last {
				trouble = append(trouble, title(d.Cell, saved.Cells[d.Cell-1]))
				if out != "" {
					err = errors.Join(err, pictures(filepath.Join(out, stem(path)), d.Cell, saved, ran.Notebook))
				}
			}
			trouble, last = append(trouble, "  "+d.What), d.Cell
		}
		words := plural(len(differences), "difference")
		return words, trouble, errors.Join(fmt.Errorf("%s: %s from the saved outputs; if that is meant to be, sgdlab run --save %s", stem(path), words, stem(path)), err)
	}
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// codeKey is the entry of a notebook's metadata that says of which code its outputs are.
const codeKey = "sgdlab_outputs_of"

// savedCode returns the digest of the code whose outputs are saved in nb, empty if it is not
// known.
func savedCode(nb *notebook.Notebook) string {
	s, _ := nb.Metadata[codeKey].(string)
	return s
}

// hasOutputs reports whether a cell of nb has outputs.
func hasOutputs(nb *notebook.Notebook) bool {
	for _, c := range nb.Cells {
		if len(c.Outputs) > 0 {
			return true
		}
	}
	return false
}

// title names a cell: its place and its last line that shows something.
func title(cell int, c *notebook.Cell) string {
	var last, shows string
	for line := range strings.Lines(c.Source) {
		last = strings.TrimSpace(line)
		if strings.Contains(last, "show.") {
			shows = last
		}
	}
	code := []rune(cmp.Or(shows, last))
	if len(code) > 80 {
		code = append(code[:79], '…')
	}
	count := ""
	if c.ExecutionCount > 0 {
		count = fmt.Sprintf(" (In [%d])", c.ExecutionCount)
	}
	return fmt.Sprintf("cell %d%s: %s", cell, count, string(code))
}

// pictures writes the pictures of a cell as they were saved and as they are now into dir.
func pictures(dir string, cell int, was, is *notebook.Notebook) error {
	for _, state := range []struct {
		name string
		nb   *notebook.Notebook
	}{{"saved", was}, {"now", is}} {
		n := 0
		for _, o := range state.nb.Cells[cell-1].Outputs {
			text, ok := o.Data["image/png"].(string)
			if !ok {
				continue
			}
			n++
			data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err == nil {
				err = atomicfile.Replace(filepath.Join(dir, fmt.Sprintf("cell%02d-%d-%s.png", cell, n, state.name)), data)
			}
			if err != nil {
				return fmt.Errorf("a picture of cell %d cannot be kept: %w", cell, err)
			}
		}
	}
	return nil
}

// saved is the judge that writes the outputs into the file.
func (r *runner) saved(path string, ran *notebook.Result) (string, []string, error) {
	old, err := notebook.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	slim, err := notebook.Slim(ran.Notebook, notebookLimit)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", stem(path), err)
	}
	kept := notebook.Keep(old, slim, nil)
	if _, ok := old.Metadata["language_info"]; ok {
		kept.Metadata = maps.Clone(old.Metadata) // whoever runs it with another Go leaves no trace
	}
	kept.Metadata[codeKey] = kept.CodeDigest()
	was, err := old.Encode()
	if err != nil {
		return "", nil, err
	}
	is, err := kept.Encode()
	if err != nil {
		return "", nil, err
	}
	if bytes.Contains(is, []byte(r.lab.Root)) {
		return "", nil, fmt.Errorf("%s: an output names the folder %s of this machine: print no paths", stem(path), r.lab.Root)
	}
	if bytes.Equal(was, is) {
		return "unchanged", nil, nil
	}
	if err := kept.WriteFile(path); err != nil {
		return "", nil, err
	}
	known := map[*notebook.Output]bool{}
	for _, c := range old.Cells {
		for _, o := range c.Outputs {
			known[o] = true
		}
	}
	changed := 0
	for _, c := range kept.Cells {
		if len(c.Outputs) > 0 && !known[c.Outputs[0]] {
			changed++
		}
	}
	return fmt.Sprintf("saved, %d kB, outputs of %s changed", len(is)/1000, plural(changed, "cell")), nil, nil
}
