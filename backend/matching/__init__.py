"""免申即享 (matching): who is entitled without applying; runs, grants, differences (应退应补)."""
