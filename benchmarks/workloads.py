"""The networks whose steps are measured: whose row's they are, their sizes, and batches of noise for them."""

import dataclasses

FACES, PICTURES = (1, 136), (3, 10)  # channels, and numbers that come out
FAMILIES = {"crmn": FACES, "resnet": FACES, "wide-resnet": PICTURES, "densenet": PICTURES}

# What the contenders by hand are told; the package takes the decay from the row's recipe.
DECAYS = {"crmn": 1e-10, "resnet": 1e-10, "wide-resnet": 5e-4, "densenet": 1e-4}
RATE = 0.01  # of all components


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network and its batch.

    Parameters
    ----------
    network : str
        One of `FAMILIES`.
    n : int
        Blocks of each stage.
    fm : int
        Factor on the stages' filters; of a DenseNet the maps that each convolution adds, its growth rate.
    size : int
        Side of the pictures.
    batch_size : int
    """

    network: str
    n: int
    fm: int
    size: int
    batch_size: int

    @property
    def of_faces(self):
        """Whether keypoints are learned, not classes."""
        return FAMILIES[self.network] == FACES

    @property
    def input_shape(self):
        """Channels, height and width."""
        return FAMILIES[self.network][0], self.size, self.size

    @property
    def outputs(self):
        """Keypoints' coordinates, or classes."""
        return FAMILIES[self.network][1]


WORKLOADS = {
    "crmn-5-4": Workload("crmn", n=5, fm=4, size=80, batch_size=8),
    "crmn-5-1": Workload("crmn", n=5, fm=1, size=80, batch_size=32),
    "resnet-9-4": Workload("resnet", n=9, fm=4, size=80, batch_size=4),
    "wrn-28-10": Workload("wide-resnet", n=4, fm=10, size=32, batch_size=8),
    "densenet-100-24": Workload("densenet", n=32, fm=24, size=32, batch_size=8),
}


def make_batch(workload):
    """Noise by the names of the task's inputs: raw faces and their targets, none hidden; or pictures and labels."""
    import numpy as np

    generator = np.random.default_rng(0)
    shape = workload.batch_size, *workload.input_shape
    if workload.of_faces:
        targets = generator.uniform(0, 1, (workload.batch_size, workload.outputs)).astype("float32")
        images = generator.integers(0, 256, shape, "uint8")
        return {"images": images, "keypoints": targets, "mask": np.ones_like(targets)}
    labels = generator.integers(0, workload.outputs, workload.batch_size).astype("int32")
    return {"images": generator.normal(size=shape).astype("float32"), "labels": labels}
