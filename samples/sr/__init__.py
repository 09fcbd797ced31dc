"""Structured reports: measurements by two independent writers, radiation doses, texts."""
