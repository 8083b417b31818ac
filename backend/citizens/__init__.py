"""参保人 (citizens): people, households, identities over time, bills; what departments deliver."""
