"""Structured reports: measurements by two independent writers, ultrasound, marks of machines, doses, texts."""
