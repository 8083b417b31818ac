"""材料 (papers): photos and PDFs that belong to a case: taken in pieces, redrawn, kept sealed."""
