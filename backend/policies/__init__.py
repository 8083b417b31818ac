"""政策 (policies): documents, clauses, dated figures and entitlements; lookup and search."""
