"""Table 3, "Stochastic Depth": CIFAR-10 by a 110-layer residual network whose blocks are dropped by chance.

Printed: accuracy 94.77%, the source's error of 5.23%, with augmentation, at the best validation epoch.
Ours: 1.73M parameters, 0.51G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_stochastic_depth.py --data cifar10.h5

From Huang et al. and the code they released: n, 16 filters, option A with averaged pixels, the survival of the last
block, Torch's Nesterov momentum, decay of all parameters, the rates and their epochs, batch size, the mean picture and
the one deviation, crops of a padding of 4, 45,000 training pictures. Not as there: DEVIATIONS.md 50, 51, 53, 54, 89.
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_stochastic_depth",
    network=lambda n=18, num_filters=16: models.stochastic_depth(
        models.picture_input((3, 32, 32)),
        n=n,
        num_filters=num_filters,
        last_survival=0.5,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"n": 1, "num_filters": 16},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.PixelMeanGlobalStd(),
        augmentation=data.CropFlip(padding=4),
    ),
    optimizer=training.TorchNesterov(momentum=0.9),
    schedule=training.StepSchedule(rate=0.1, shifts=((249, 0.1), (374, 0.1))),
    weight_decay=training.WeightDecay(1e-4, of="all"),
    batch_size=128,
    epochs=500,
    rehearsal=Trial(batch_size=8, steps=3),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Moniz and Pal, 2017, Table 3",
        "Huang, Sun, Liu, Sedra and Weinberger, Deep networks with stochastic depth, ECCV 2016, and its released code",
    ),
    deviations=(8, 17, 18, 20, 23, 30, 31, 32, 35, 36, 50, 51, 53, 54, 89),
)

if __name__ == "__main__":
    main(RECIPE)
