"""The commands of `python -m crmn_legacy`, one a file; each takes parsed arguments and returns an exit status."""
