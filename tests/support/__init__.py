"""What several tests need: requests as cases, cases as columns, catalogues that differ."""
