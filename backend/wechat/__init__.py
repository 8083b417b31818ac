"""微信网关: the one way to WeChat: calls to it, and its message push."""
