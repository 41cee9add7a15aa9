"""Table 1 at a quarter of its width: does a memory over the depth beat a plain ResNet?

    python studies/table1_quarter.py train --data faces.h5
    python studies/table1_quarter.py tables

CRMN and ResNets with fm = 1 in place of 4, everything else of their rows' own recipes but what two cores have no time
for: 30 epochs in place of 100, a schedule that fits into them (m = 15, patience 1), and 16 pictures a batch. With the
recipe's 64, 30 epochs of 1,087 pictures were 480 updates, where its 100 epochs of 2,834 pictures are 4,400; with 16
they are 2,010. The starting rate is chosen first, by the validation pictures alone, from runs of a third of that
length; two more at 64 pictures a batch show what the smaller batch does. faces.h5 is made by
`data_prep/faces_300w.py`.
"""

from crmn_legacy.study import Study, StudyRun, main

EPOCHS = 30
SETTINGS = {"schedule.minimum_epochs": 15, "schedule.patience": 1, "batch_size": 16}
# Of the trials: so that they too end with lower rates.
TRIAL_SETTINGS = SETTINGS | {"schedule.minimum_epochs": 7}
CRMN, RESNET_5, RESNET_9 = "table1_crmn", "table1_resnet_n5_fm4", "table1_resnet_n9_fm4"
# Those of the trials' least validation errors.
CRMN_RATE, RESNET_RATE, DENSE_RATE = {"schedule.rate": 0.2}, {"schedule.rate": 0.02}, {"schedule.rate": 0.02}

# What is tried: its row, and what else than n and fm is not the row's own.
TRIED = {"crmn": (CRMN, {}), "resnet": (RESNET_5, {}), "crmn_dense": (CRMN, {"memory": "dense"})}


def trained(variant, row, network, seeds):
    """Runs of full length, one a seed."""
    settings = SETTINGS | (CRMN_RATE if row == CRMN else RESNET_RATE)
    return tuple(StudyRun(variant, row, network, EPOCHS, seed, settings) for seed in seeds)


def ablated(variant, network=None, settings=None):
    """Runs of the CRMN with something else in it."""
    network, settings = {"n": 5, "fm": 1} | (network or {}), SETTINGS | CRMN_RATE | (settings or {})
    return tuple(StudyRun(variant, CRMN, network, EPOCHS, seed, settings, ablation=True) for seed in (1, 2))


def tried(name, rate, batch_size=16):
    """A run of a third of that length, for the validation pictures."""
    settings = TRIAL_SETTINGS | {"schedule.rate": rate, "batch_size": batch_size}
    variant = f"try_{name}_rate{rate}_batch{batch_size}"
    row, network = TRIED[name]
    return StudyRun(variant, row, {"n": 5, "fm": 1} | network, EPOCHS // 3, 1, settings, trial=True)


STUDY = Study(
    "table1_quarter",
    (
        *(tried(name, rate) for rate in (0.08, 0.02, 0.2) for name in ("crmn", "resnet")),
        # The least of the three was the ResNet's best.
        tried("resnet", 0.005),
        # At the CRMN's rate a dense layer in the memory's place stays worse than the mean face.
        *(tried("crmn_dense", rate) for rate in (0.02, 0.08, 0.005)),
        *(
            run
            for seed in (1, 2, 3)
            for variant, row in (("crmn_n5", CRMN), ("resnet_n5", RESNET_5))
            for run in trained(variant, row, {"n": 5, "fm": 1}, (seed,))
        ),
        *trained("resnet_n9", RESNET_9, {"n": 9, "fm": 1}, (1, 2)),
        *ablated("crmn_n5_dense", {"memory": "dense"}, DENSE_RATE),
        *ablated("crmn_n5_no_peepholes", {"memory": "no_peepholes"}),
        *ablated("crmn_n5_lasagne", {"memory": "lasagne"}),
        *ablated("crmn_n5_all_rates_at_once", settings={"schedule.round_robin": False}),
        tried("crmn", 0.08, batch_size=64),
        tried("resnet", 0.08, batch_size=64),
        *trained("resnet_n18", "table1_resnet_n18_fm4", {"n": 18, "fm": 1}, (1,)),
        *trained("resnet_n9_fm2", "table1_resnet_n9_fm8", {"n": 9, "fm": 2}, (1,)),
    ),
    base="resnet_n5",
)

if __name__ == "__main__":
    main(STUDY, __doc__)
