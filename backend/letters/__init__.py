"""承诺书 (letters): what applicants promise: read, signed by hand, sealed, checked by anybody."""
