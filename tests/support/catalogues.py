"""Catalogues other than the project's own."""

from __future__ import annotations

from pathlib import Path

SIXTH_POLICY = Path(__file__).parents[1] / "cases" / "sixth-policy"
"""A folder as a place would keep it: one invented policy, added by data alone."""
