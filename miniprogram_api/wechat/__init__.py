"""微信: where WeChat's message push arrives."""
