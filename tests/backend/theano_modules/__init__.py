import crmn_legacy  # noqa: F401  (makes Theano's names importable)
