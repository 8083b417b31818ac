"""材料 over HTTP: papers of a case, handed in by pieces and read by who sees the case."""
