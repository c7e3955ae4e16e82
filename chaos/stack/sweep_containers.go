package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"brownout/chaos/stack/docker"
)

// containersName is a file of a run folder that says that the run has containers.
const containersName = "containers"

// holdContainers is called before the first container is made.
func (f *folder) holdContainers() error {
	err := os.WriteFile(filepath.Join(f.path, containersName), nil, 0o600)
	if err != nil {
		return fmt.Errorf("writing down that there are containers: %w", err)
	}
	return nil
}

// removeContainers removes the containers that the run of a folder has left. Without
// the engine the folder must stay, for a later Sweep.
func removeContainers(ctx context.Context, path string) error {
	if _, err := os.Stat(filepath.Join(path, containersName)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	engine, err := docker.Open(ctx)
	if err != nil {
		return fmt.Errorf("removing what is left of its containers: %w", err)
	}
	return errors.Join(engine.RemoveRun(ctx, filepath.Base(path)), engine.Close())
}
