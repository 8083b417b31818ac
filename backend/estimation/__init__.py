"""待遇测算 (estimation): person + bills + policy → payments, each with its reasons.

The rules are data (the policy catalogue) and the small functions of `rules.py`, which hold for
plain integers and for NumPy columns alike: `estimate.py` settles one person's bills with every
step explained, `batch.py` millions of bills at once.
"""
