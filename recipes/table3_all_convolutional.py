"""Table 3, "All Conv. Net": CIFAR-10, the large all-convolutional network on pictures in a field of 126 x 126.

Printed: accuracy 95.59%, that is Springenberg et al.'s error of 4.41%, the one with heavy augmentation; the small
All-CNN-C of the same paper is another network.
Ours: 77.46M parameters, 52.96G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_all_convolutional.py --data cifar10.h5

From Springenberg et al.: the network, which is Graham's for CIFAR-10 with strides where pools were. From the head of
Graham's source for that network: field, dropout, distortion, colours, batch size, rate, epochs. The rate is 0.003 times
the batch size times exp(-0.005 epoch) with epochs from 1. Left open, chosen here: DEVIATIONS.md 65 to 69.
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_all_convolutional",
    network=lambda num_filters=320, num_stages=5: models.all_convolutional(
        models.picture_input((3, 126, 126)),
        num_filters=num_filters,
        num_stages=num_stages,
        dropout=0.1,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"num_filters": 4, "num_stages": 3},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.Centred(centre=128.0, divisor=128.0),
        augmentation=data.FieldDistortion(
            size=126,
            stretch=0.2,
            slant=0.2,
            shift=16,
            colour=(0.2, 0.3, 0.6 / 32, 0.6 / 32),
            threshold=2 / 128,
            last_epoch=500,
        ),
    ),
    optimizer=training.NesterovMomentum(momentum=0.99, dampening=0.99),
    schedule=training.ExponentialSchedule(rate=0.14925187, decay=0.005),
    weight_decay=0.0,
    batch_size=50,
    epochs=510,
    rehearsal=Trial(batch_size=2, steps=2),
    smoke=Trial(batch_size=16, epochs=1, steps=2),
    sources=(
        "Springenberg et al., Striving for simplicity: the all convolutional net, 2015",
        "Graham, source of the Kaggle CIFAR-10 network with SparseConvNet, 2014",
    ),
    deviations=(8, 18, 20, 23, 30, 31, 32, 65, 66, 67, 68, 69, 73),
)

if __name__ == "__main__":
    main(RECIPE)
