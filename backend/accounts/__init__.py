"""账号: residents and staff, their duties and sessions, consent; who may see what."""
