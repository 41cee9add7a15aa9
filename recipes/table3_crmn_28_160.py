"""Table 3, "CRMN (28 layers; 160 fm), RRLR": CIFAR-10 by a residual network with memory over its depth.

Printed: accuracy 95.60%.
Ours: 53.13M parameters, 11.31G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_crmn_28_160.py --data cifar10.h5

From the paper: 160 filters in the first convolution, the 2x2 mean pool, the softmax head, the rates 0.1, 0.01, 0.005,
0.001, round robin (Sections 3, 4 and 4.2). n = 4 follows from 6n + 4 = 28: the two convolutions of shortcuts count.
Left open, chosen here: optimiser, units, m, patience, epochs, weight decay, batch size, preprocessing, augmentation
(DEVIATIONS.md 1, 4, 5 and 100 to 105).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_crmn_28_160",
    network=lambda n=4, num_filters=160, memory="peepholes": models.crmn(
        models.picture_input((3, 32, 32)),
        n=n,
        num_filters=num_filters,
        pool_size=2,
        num_units=100,
        num_outputs=10,
        nonlinearity=models.softmax,
        memory=memory,
    ),
    smallest={"n": 1, "num_filters": 16},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.ChannelMeanStd(),
        augmentation=data.CropFlip(padding=4),
    ),
    optimizer=training.NesterovMomentum(momentum=0.9),
    schedule=training.RateSchedule(
        rate=0.1,
        factors=(0.1, 0.5, 0.2),
        minimum_epochs=60,
        patience=5,
        round_robin=True,
    ),
    weight_decay=5e-4,
    batch_size=128,
    epochs=200,
    rehearsal=Trial(batch_size=4, steps=2),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Moniz and Pal, 2017, Sections 3, 4 and 4.2, Table 3",
        "Zagoruyko and Komodakis, Wide Residual Networks, 2016, for what the paper leaves open on CIFAR",
    ),
    deviations=(1, 4, 5, 7, 8, 17, 18, 19, 20, 23, 30, 31, 32, 35, 36, 100, 101, 102, 103, 104, 105),
)

if __name__ == "__main__":
    main(RECIPE)
