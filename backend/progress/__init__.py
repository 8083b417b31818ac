"""进度跟踪 (progress): where an application stands, in words that residents understand."""
