"""公示: lists of those who are to be granted something, up in their village for some days, masked;
objections of anybody, decided before the grant counts."""
