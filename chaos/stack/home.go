package stack

// Folder is the path of the run folder, which goes with the stack, and when the
// harness is killed with the next Sweep. Empty: nothing is local.
func (s *Stack) Folder() string {
	if s.folder == nil {
		return ""
	}
	return s.folder.path
}
