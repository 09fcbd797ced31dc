"""Mapping: the tables that do the work, searchable."""
