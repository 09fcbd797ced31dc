"""Syncs: those that ended in a stretch of time, which is what a bar of a chart counts."""
