"""Table 1 at a quarter of its width: does a memory over the depth beat a plain ResNet?

    python studies/table1_quarter.py train --data faces.h5
    python studies/table1_quarter.py tables

CRMN and ResNets with fm = 1 in place of 4, everything else of their rows' own recipes but what two cores have no time
for: 45 epochs in place of 100, and a schedule that fits into them (m = 20, patience 2). First the starting rate and the
batch size are to be chosen, by the validation pictures alone, from runs of a third of that length: with the recipe's 64
pictures a batch, 45 epochs of 1,087 pictures are 765 updates, where its 100 epochs of 2,834 pictures are 4,400.
faces.h5 is made by `data_prep/faces_300w.py`.
"""

from crmn_legacy.study import Study, StudyRun, main

EPOCHS = 30
SCHEDULE = {"schedule.minimum_epochs": 15, "schedule.patience": 1}
# Of the trials: so that they too end with lower rates.
SHORT_SCHEDULE = {"schedule.minimum_epochs": 7, "schedule.patience": 1}
CRMN, RESNET_5, RESNET_9 = "table1_crmn", "table1_resnet_n5_fm4", "table1_resnet_n9_fm4"


def trained(variant, row, network, seeds):
    """Runs of full length, one a seed."""
    return tuple(StudyRun(variant, row, network, EPOCHS, seed, SCHEDULE) for seed in seeds)


def ablated(variant, network=None, settings=None):
    """Runs of the CRMN with something else in it."""
    network, settings = {"n": 5, "fm": 1} | (network or {}), SCHEDULE | (settings or {})
    return tuple(StudyRun(variant, CRMN, network, EPOCHS, seed, settings, ablation=True) for seed in (1, 2))


def tried(variant, row, settings):
    """A run of a third of that length, for the validation pictures."""
    return StudyRun(f"try_{variant}", row, {"n": 5, "fm": 1}, EPOCHS // 3, 1, SHORT_SCHEDULE | settings, trial=True)


STUDY = Study(
    "table1_quarter",
    (
        *(
            tried(f"{name}_rate{rate}_batch{batch_size}", row, {"schedule.rate": rate, "batch_size": batch_size})
            for rate, batch_size in ((0.08, 16), (0.02, 16), (0.2, 16), (0.08, 64))
            for name, row in (("crmn", CRMN), ("resnet", RESNET_5))
        ),
        *trained("crmn_n5", CRMN, {"n": 5, "fm": 1}, (1, 2, 3)),
        *trained("resnet_n5", RESNET_5, {"n": 5, "fm": 1}, (1, 2, 3)),
        *trained("resnet_n9", RESNET_9, {"n": 9, "fm": 1}, (1, 2)),
        *ablated("crmn_n5_dense", {"memory": "dense"}),
        *ablated("crmn_n5_no_peepholes", {"memory": "no_peepholes"}),
        *ablated("crmn_n5_lasagne", {"memory": "lasagne"}),
        *ablated("crmn_n5_all_rates_at_once", settings={"schedule.round_robin": False}),
        *trained("resnet_n18", "table1_resnet_n18_fm4", {"n": 18, "fm": 1}, (1,)),
        *trained("resnet_n9_fm2", "table1_resnet_n9_fm8", {"n": 9, "fm": 2}, (1,)),
    ),
    base="resnet_n5",
)

if __name__ == "__main__":
    main(STUDY, __doc__)
