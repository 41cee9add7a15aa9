"""Small faces files for tests, made of numbers that are easy to recognise."""

import numpy as np

from crmn_legacy.data.files.faces import Faces


def plain_faces(train=8, valid=2, test=2, seed=0):
    """Faces with random pixels and an ellipse of points."""
    count = train + valid + test
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = 0.5 + 0.25 * np.column_stack([np.cos(turn), np.sin(turn)])
    keypoints = ring + random.uniform(-0.02, 0.02, size=(count, 68, 2))
    visible = np.ones((count, 68), dtype=bool)
    visible[0, 3] = False
    return Faces(
        images=random.integers(0, 256, size=(count, 160, 160), dtype=np.uint8),
        keypoints=keypoints.astype(np.float32),
        visible=visible,
        box=np.tile(np.array([10, 20, 170, 180], dtype=np.float32), (count, 1)),
        split=np.array(["train"] * train + ["valid"] * valid + ["test"] * test),
        source=np.full(count, "rendered"),
        name=np.array([f"picture {number} é" for number in range(count)]),
        sources_digest="ab" * 32,
    )


def points_text(points, version="1", count=None):
    """The text of a ``.pts`` file."""
    lines = "\n".join(f"{x} {y}" for x, y in points)
    return f"version: {version}\nn_points:  {len(points) if count is None else count}\n{{\n{lines}\n}}\n"
