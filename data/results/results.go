// Package results holds the recorded results that verdicts rest on, as they are in this
// folder.
package results

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Read decodes the result called name, such as "fig1b", into v, a pointer to a struct with
// those fields of it that the caller needs.
func Read(name string, v any) error {
	data, err := files.ReadFile(name + ".json")
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("results: %s: %w", name, err)
	}
	return nil
}
