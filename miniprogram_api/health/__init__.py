"""健康检查 (health): is the process alive, can it work, how is it doing."""
