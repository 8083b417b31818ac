"""纾困 (Shukun), the domain: policies, estimation and what will follow them. Knows no HTTP."""
