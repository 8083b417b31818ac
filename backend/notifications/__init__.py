"""消息推送 (notifications): what people are owed to hear, brought to them one way or another."""
