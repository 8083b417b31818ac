"""公示 over HTTP: lists that are up, for anybody; objections, and what the county says of them."""
