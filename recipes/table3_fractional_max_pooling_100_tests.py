"""Table 3, "Frac. Max-pool (100 tests)": CIFAR-10, twelve fractional pools; 100 passes averaged.

Printed: accuracy 96.53%, that is Graham's error of 3.47%: the mean of 100 passes, each with regions of its own.
Ours: 79.25M parameters, 29.70G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_fractional_max_pooling_100_tests.py --data cifar10.h5

From Graham's released code (`cifar10big.cpp` and what it calls): network, dropout, slope, momentum, epochs, batch size,
distortion. Colours' deviations are whole gray values there, 25, 0, 2 and 2 of 128. The rate is 0.003 exp(-0.005 epoch)
times a *sum* over the 50 pictures of a batch; here the loss is their mean, so it is 0.15 times the same, epochs from 1.
Differences: DEVIATIONS.md 70 to 75. The row "(1 test)" is the same network and training.
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_fractional_max_pooling_100_tests",
    network=lambda num_filters=160, num_layers=12, ratio=2**0.3333: models.fractional_max_pooling(
        models.picture_input((3, 94, 94)),
        num_filters=num_filters,
        num_layers=num_layers,
        ratio=ratio,
        dropout=0.5,
        leakiness=0.333,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"num_filters": 4, "num_layers": 5, "ratio": 1.98},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.Centred(centre=128.0, divisor=128.0),
        augmentation=data.FieldDistortion(
            size=94,
            stretch=0.2,
            slant=0.2,
            shift=16,
            colour=(25 / 128, 0.0, 2 / 128, 2 / 128),
            threshold=2 / 128,
            last_epoch=800,
        ),
        samples=100,
    ),
    optimizer=training.NesterovMomentum(momentum=0.99, dampening=0.99),
    schedule=training.ExponentialSchedule(rate=0.14925187, decay=0.005),
    weight_decay=0.0,
    batch_size=50,
    epochs=810,
    rehearsal=Trial(batch_size=2, steps=2),
    smoke=Trial(batch_size=16, epochs=1, steps=2),
    sources=(
        "Graham, Fractional max-pooling, 2014, Sections 2 and 3",
        "Graham, SparseConvNet, released code: cifar10big.cpp, NetworkArchitectures.cpp, Regions.cu, OpenCVPicture.cpp",
    ),
    deviations=(8, 18, 20, 23, 30, 31, 32, 70, 71, 72, 73, 74, 75),
)

if __name__ == "__main__":
    main(RECIPE)
