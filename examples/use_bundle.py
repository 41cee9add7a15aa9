"""Points of a face from an exported bundle, with JAX, NumPy and Pillow: nothing of crmn_legacy is imported.

python -m crmn_legacy export --pretrained table1_crmn_quarter --out bundle
python examples/use_bundle.py bundle portrait.jpg
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder, picture = Path(sys.argv[1]), np.asarray(Image.open(sys.argv[2]).convert("L"))
sys.path.insert(0, str(folder))
from run_program import Bundle  # noqa: E402 - the bundle's own file

bundle = Bundle(folder)
program = bundle.program("predict")
state = program.put(bundle.initial_state() | bundle.arrays("weights.npz"))
height, width = picture.shape
# The face's tight box, brows to chin: here it fills the picture as a prepared one does.
side, middle = min(height, width) / 1.7, np.array([width, height]) / 2
box = np.concatenate([middle - side / 2, middle + side / 2]).astype(np.float32)
points = np.asarray(program(state=state, batch={"pictures": picture, "box": box})["outputs"]["points"])
for x, y in points:
    print(f"{x:.2f} {y:.2f}")
