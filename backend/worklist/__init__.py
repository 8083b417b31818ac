"""待办 (work list): what a person must decide or do, in exactly one list, and by when."""
