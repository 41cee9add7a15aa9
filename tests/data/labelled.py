"""Small pictures files for tests, made of numbers that are easy to recognise."""

import numpy as np

from crmn_legacy.data.files.labelled_pictures import Pictures


def plain_pictures(train=12, valid=3, test=2, classes=10, seed=0):
    """Pictures with random pixels whose brightness varies from picture to picture."""
    count = train + valid + test
    random = np.random.default_rng(seed)
    brightness = random.integers(60, 256, size=(count, 1, 1, 1))
    return Pictures(
        images=random.integers(0, brightness, size=(count, 3, 32, 32)).astype(np.uint8),
        labels=(np.arange(count) % classes).astype(np.uint8),
        split=np.array(["train"] * train + ["valid"] * valid + ["test"] * test),
        name=np.array([f"picture {number} é" for number in range(count)]),
        classes=np.array([f"class {number}" for number in range(classes)]),
        source="rendered",
        sources_digest="cd" * 32,
    )
