"""进度跟踪 over HTTP: where an application stands, for applicants, staff, and by its code."""
