"""Datasets in the SPARC Data Structure, read from a folder."""
