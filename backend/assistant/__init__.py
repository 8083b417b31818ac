"""客服对话 (chat): understands what residents write to customer service, answers, or hands over."""
