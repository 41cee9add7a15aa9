"""Table 3, "Highway Network": CIFAR-10 by the 19-layer convolutional highway network.

Printed: accuracy 92.40%, the source's best run, error 7.60%.
Ours: 2.26M parameters, 0.66G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_highway.py --data cifar10.h5

From the code that Srivastava et al. released (network and solver of `cifar10-19layers`): stages, dropout, the gates'
bias of -2 (in `models.highway`), Nesterov momentum, rates, biases at twice the rate and without decay, ten times the
decay on the dense layer, batch size, padding of 8. Its first weights too: the first convolution's have a deviation of
1, the dense layer's have a deviation of 0.05. 444 epochs of 45,000 pictures are its 200,000 updates (DEVIATIONS.md 42).
Left open, chosen here: the contrast's scale, so that the loss at the start is about that of the released logs (40).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_highway",
    network=lambda stages=((32, 4), (80, 5), (128, 5)), num_features=100: models.highway(
        models.picture_input((3, 32, 32)),
        stages=stages,
        num_features=num_features,
        dropout=0.2,
        num_outputs=10,
        nonlinearity=models.softmax,
        stem_deviation=1.0,
        output_deviation=0.05,
    ),
    smallest={"stages": ((8, 1), (8, 1), (8, 1)), "num_features": 16},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.GlobalContrast(scale=30.0, then_mean_image=True),
        augmentation=data.CropFlip(padding=8),
    ),
    optimizer=training.NesterovMomentum(momentum=0.9, rate_multipliers=(("*.b", 2.0),)),
    schedule=training.StepSchedule(
        rate=0.025,
        shifts=((100_000, 0.1), (150_000, 0.1), (175_000, 0.1)),
        unit="updates",
    ),
    weight_decay=training.WeightDecay(1e-3, multipliers=(("output.W", 10.0),)),
    batch_size=100,
    epochs=444,
    rehearsal=Trial(batch_size=8, steps=3),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Moniz and Pal, 2017, Table 3",
        "Srivastava, Greff and Schmidhuber, Training very deep networks, NIPS 2015, and the code they released",
    ),
    deviations=(8, 17, 18, 20, 23, 30, 31, 32, 34, 40, 41, 42, 43, 44),
)

if __name__ == "__main__":
    main(RECIPE)
