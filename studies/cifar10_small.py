"""CIFAR-10 by small networks: does a memory over the depth beat a plain ResNet?

    python studies/cifar10_small.py train --data cifar10.h5
    python studies/cifar10_small.py tables

The recipe of Table 3's CRMN with RRLR, n = 2 and 16 filters in place of 4 and 160, for 20 epochs in place of 200, and a
schedule that fits into them; then the same without its memory. cifar10.h5 is made by `data_prep/cifar.py`.
"""

from crmn_legacy.study import Study, StudyRun, main

EPOCHS = 20
SCHEDULE = {"schedule.minimum_epochs": 10, "schedule.patience": 1}


def trained(variant, memory, settings, ablation=False):
    """Runs of two seeds."""
    network, settings = {"n": 2, "num_filters": 16, "memory": memory}, SCHEDULE | settings
    return tuple(
        StudyRun(variant, "table3_crmn_28_160", network, EPOCHS, seed, settings, ablation=ablation) for seed in (1, 2)
    )


STUDY = Study(
    "cifar10_small",
    (
        *trained("crmn_n2", "peepholes", {}),
        *trained("resnet_n2", "none", {"schedule.components": ("resnet", "output")}, ablation=True),
    ),
    base="resnet_n2",
)

if __name__ == "__main__":
    main(STUDY, __doc__)
