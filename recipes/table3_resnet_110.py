"""Table 3, "ResNet (110 layers)": CIFAR-10 by He et al.'s residual network, n = 18.

Printed: accuracy 93.57%, the source's best of five runs, error 6.43%.
Ours: 1.73M parameters, 0.51G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_resnet_110.py --data cifar10.h5

From He et al., Section 4.2: n, 16 filters, option A, momentum, decay, batch size, crops of a padding of 4, the warm-up,
the rates and the updates at which they fall. 182 epochs of 45,000 pictures are its 64,000 updates (DEVIATIONS.md 48).
Pixel means and decay of the weights alone as in Lasagne's published recipe of this network. Left open, chosen here:
where the zero channels go, batch norm's epsilon, how the training error is taken (45, 47, 49).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_resnet_110",
    network=lambda n=18, num_filters=16: models.cifar_resnet(
        models.picture_input((3, 32, 32)),
        n=n,
        num_filters=num_filters,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"n": 1, "num_filters": 16},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.PixelMean(divisor=255.0),
        augmentation=data.CropFlip(padding=4),
    ),
    optimizer=training.Momentum(momentum=0.9),
    schedule=training.StepSchedule(
        rate=0.1,
        shifts=((32_000, 0.1), (48_000, 0.1)),
        unit="updates",
        warm_up=training.WarmUp(rate=0.01, training_error=0.8),
    ),
    weight_decay=1e-4,
    batch_size=128,
    epochs=182,
    rehearsal=Trial(batch_size=8, steps=3),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Moniz and Pal, 2017, Table 3",
        "He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2015, Section 4.2",
        "Lasagne Recipes, papers/deep_residual_learning",
    ),
    deviations=(8, 17, 18, 19, 20, 23, 30, 31, 32, 35, 45, 46, 47, 48, 49),
)

if __name__ == "__main__":
    main(RECIPE)
