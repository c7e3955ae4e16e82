package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile writes data to the file name in dir under a temporary name and
// renames it, so that a reader finds the old content or the new, never a part.
func WriteFile(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
	}
	_, err = f.Write(data)
	// CreateTemp lets only the owner read; a run folder is for everybody.
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err), os.Remove(f.Name()))
	}
	return nil
}

// WriteJSON writes v, indented, as WriteFile does.
func WriteJSON(dir, name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	return WriteFile(dir, name, append(data, '\n'))
}
