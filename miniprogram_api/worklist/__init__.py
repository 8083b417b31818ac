"""待办 (worklist) over HTTP: what lies in the list of a member of staff."""
