"""政策查询 (policies) over HTTP: look up, compare, what changed, what a category gets."""
