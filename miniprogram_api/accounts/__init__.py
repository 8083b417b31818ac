"""账号: signing in and out, over HTTP."""
