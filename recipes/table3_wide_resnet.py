"""Table 3, "WRResNet (28 layers; 160 fm)": CIFAR-10 by a wide residual network.

Printed: accuracy 95.83%, the source's error 4.17% (first version, whitened pictures).
Ours: 36.48M parameters, 10.49G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_wide_resnet.py --data cifar10.h5

From the source (Zagoruyko and Komodakis, first version, and its released code): n = 4 blocks in each stage, widening
factor 10 (so 160 maps in the first stage; the first convolution has 16), initial weights, epsilon of batch norm, no
dropout, batches of 128, 200 epochs, Nesterov's momentum 0.9 in Torch's form, decay 5e-4 of all that is trained, rate
0.1 times 0.2 from epochs 60, 120 and 160 on, contrast normalisation and ZCA, crops from 4 reflected pixels, flips
(DEVIATIONS.md 82 to 85).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_wide_resnet",
    network=lambda n=4, num_filters=160: models.wide_resnet(
        models.picture_input((3, 32, 32)),
        n=n,
        num_filters=num_filters,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"n": 1, "num_filters": 16},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.GlobalContrastZCA(scale=55.0, filter_bias=0.1),
        augmentation=data.CropFlip(padding=4, mode="reflect"),
    ),
    optimizer=training.TorchNesterov(momentum=0.9),
    schedule=training.StepSchedule(rate=0.1, shifts=((59, 0.2), (119, 0.2), (159, 0.2))),
    weight_decay=training.WeightDecay(5e-4, of="all"),
    batch_size=128,
    epochs=200,
    rehearsal=Trial(batch_size=4, steps=2),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Zagoruyko and Komodakis, Wide residual networks, arXiv 1605.07146, first version",
        "The settings of its released code, wide-residual-networks",
    ),
    deviations=(8, 17, 18, 20, 23, 30, 31, 32, 33, 34, 35, 82, 83, 84, 85, 89),
)

if __name__ == "__main__":
    main(RECIPE)
