"""接口 (miniprogram_api): HTTP and the composition root; the domain knows nothing of it."""
