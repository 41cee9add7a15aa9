"""What a run's folder holds, by name; and how those are called that lie side by side."""

MANIFEST = "MANIFEST.sha256"
RUN, CURVE, RECIPE = "run.json", "curve.jsonl", "recipe.py"
CURVE_CSV = "curve.csv"
WEIGHTS, INITIAL_WEIGHTS = "weights.npz", "weights_initial.npz"
CHECKPOINT, FORMER_CHECKPOINT = "checkpoint.npz", "checkpoint.previous.npz"
ARRAYS = (WEIGHTS, INITIAL_WEIGHTS, CHECKPOINT, FORMER_CHECKPOINT)
TRACE = "trace.jsonl"
# A folder for those who watch: what is in it proves nothing, and no digest covers it.
TENSORBOARD = "tensorboard"
# Of runs that differ by their seed alone, each folder's name before its seed.
SEED = "seed"
# All that a run ever writes and digests; whatever else lies in its folder is not the run's.
WRITTEN = (RUN, RECIPE, CURVE, CURVE_CSV, *ARRAYS, TRACE)
