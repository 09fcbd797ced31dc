"""A dataset in the SPARC Data Structure (SDS) 2.x or 3.x, as frozen records.

Sources: the dataset templates 2.1.0 and 3.0.2, and docs/sds-3-changelog.org, of SciCrunch/sparc-curation.
"""
