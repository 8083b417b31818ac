"""政策搜索 (search): finds the clauses that answer a question asked in people's own words."""
