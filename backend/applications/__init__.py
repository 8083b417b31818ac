"""在线申请 (applications): drafts, submitting, deciding; every move of a case is a step."""
