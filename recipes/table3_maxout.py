"""Table 3, "Maxout Network": CIFAR-10, three convolutional maxout layers and a dense one.

Printed: accuracy 90.62%, that is Goodfellow et al.'s error of 9.38%, with translated and mirrored pictures.
Ours: 16.25M parameters, 1.47G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_maxout.py --data cifar10.h5

From pylearn2's `scripts/papers/maxout/cifar10.yaml`, the authors' own settings: the network, its first weights, the
norms' limits, rate, momentum, epochs, batch size, the convolutions' lower rate, the padding of 8 pixels on each side.
Differences: DEVIATIONS.md 60 to 63.
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_maxout",
    network=lambda num_filters=(96, 192, 192), num_units=500, dropout=(0.2, 0.5), initial_range=0.005: models.maxout(
        models.picture_input((3, 32, 32)),
        num_filters=num_filters,
        num_units=num_units,
        num_pieces=(2, 5),
        dropout=dropout,
        initial_range=initial_range,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    # So few units with the published first weights and dropout pass on next to nothing of a picture but noise.
    smallest={"num_filters": (4, 4, 4), "num_units": 8, "dropout": (0.1, 0.1), "initial_range": 0.1},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.GlobalContrastZCA(scale=55.0, filter_bias=0.1),
        augmentation=data.CropFlip(padding=8),
    ),
    optimizer=training.Momentum(momentum=0.5, rate_multipliers=(("stage[123].conv.*", 0.05),)),
    schedule=training.LinearSchedule(rate=0.17, last_factor=0.01, epochs=500, momentum=(0.5, 0.65, 250)),
    weight_decay=0.0,
    constraints=(
        training.MaxNorm("stage1.conv.W", 0.9),
        training.MaxNorm("stage2.conv.W", 1.9365),
        training.MaxNorm("stage3.conv.W", 1.9365),
        training.MaxNorm("stage4.dense.W", 1.9),
        training.MaxNorm("output.W", 1.9365),
    ),
    batch_size=128,
    epochs=474,
    rehearsal=Trial(batch_size=16, steps=3),
    smoke=Trial(batch_size=16, epochs=1, steps=3),
    sources=(
        "Goodfellow et al., Maxout networks, ICML 2013, Sections 5.2 and 5.3",
        "pylearn2, scripts/papers/maxout/cifar10.yaml and train_extensions/window_flip.py",
    ),
    deviations=(8, 18, 20, 23, 30, 31, 32, 33, 34, 60, 61, 62, 63),
)

if __name__ == "__main__":
    main(RECIPE)
