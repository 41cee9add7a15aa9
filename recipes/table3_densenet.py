"""Table 3, "DenseNets (100 layers)": CIFAR-10 by a densely connected network, k = 24.

Printed: accuracy 96.26%, the source's error 3.74% (L = 100, k = 24, augmented).
Ours: 27.25M parameters, 13.81G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_densenet.py --data cifar10.h5

From the source (Huang et al., and its released code, upon fb.resnet.torch): 32 convolutions in each stage, of 24 maps
each, 16 maps in the first convolution, no bottleneck, no compression, no dropout since the pictures are augmented,
initial weights, epsilon of batch norm, batches of 64, 300 epochs, Nesterov's momentum 0.9 in Torch's form, decay 1e-4
of all that is trained, rate 0.1 divided by 10 from epochs 150 and 225 on, mean and standard deviation of the channels,
crops from 4 pixels of zeros, flips (DEVIATIONS.md 87 to 89).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_densenet",
    network=lambda n=32, growth_rate=24: models.densenet(
        models.picture_input((3, 32, 32)),
        n=n,
        growth_rate=growth_rate,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"n": 2, "growth_rate": 4},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.ChannelMeanStd(),
        augmentation=data.CropFlip(padding=4),
    ),
    optimizer=training.TorchNesterov(momentum=0.9),
    schedule=training.StepSchedule(rate=0.1, shifts=((149, 0.1), (224, 0.1))),
    weight_decay=training.WeightDecay(1e-4, of="all"),
    batch_size=64,
    epochs=300,
    rehearsal=Trial(batch_size=4, steps=2),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "Huang et al., Densely connected convolutional networks, CVPR 2017, Table 2",
        "The settings of its released code, DenseNet, and of fb.resnet.torch beneath it",
    ),
    deviations=(8, 17, 18, 20, 23, 30, 31, 32, 35, 36, 87, 88, 89),
)

if __name__ == "__main__":
    main(RECIPE)
