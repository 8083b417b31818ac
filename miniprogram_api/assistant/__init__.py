"""客服对话 (chat): what staff read and answer of conversations, what residents see of theirs."""
