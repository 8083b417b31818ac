"""在线申请 over HTTP: what applicants do, and what staff do at their desks."""
