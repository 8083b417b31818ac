"""免申即享: runs of automatic matching, for staff."""
