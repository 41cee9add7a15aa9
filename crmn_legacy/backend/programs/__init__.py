"""Training, evaluation and prediction as programs of StableHLO, which need neither this package nor Aesara to run."""
