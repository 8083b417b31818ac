"""消息推送 over HTTP: the inbox of residents, and which messages they allow."""
