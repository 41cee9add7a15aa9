"""Table 3, "Pre-act. ResNet (1001 layers)": CIFAR-10 by 333 bottleneck blocks with the identity between them.

Printed: accuracy 95.38%, the source's error 4.62% (batches of 64).
Ours: 10.33M parameters, 3.01G FLOPs; `python -m crmn_legacy tables` lists what was measured.

    python recipes/table3_preact_resnet_1001.py --data cifar10.h5

From the source's released code (He et al., resnet-1k-layers, upon fb.resnet.torch): the network, its initial weights,
epsilon of batch norm, batches of 64, 200 epochs, Nesterov's momentum 0.9 in Torch's form, decay 1e-4 of all that is
trained, rate 0.1 divided by 10 from epochs 81 and 122 on, mean and standard deviation of the channels, crops from 4
pixels of zeros, flips. From the paper: 0.01 for the first 400 updates (DEVIATIONS.md 78 to 80).
"""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table3_preact_resnet_1001",
    network=lambda n=111, num_filters=16: models.preactivation_resnet(
        models.picture_input((3, 32, 32)),
        n=n,
        num_filters=num_filters,
        num_outputs=10,
        nonlinearity=models.softmax,
    ),
    smallest={"n": 2, "num_filters": 4},
    task=training.Classification(
        num_classes=10,
        preprocessing=data.ChannelMeanStd(),
        augmentation=data.CropFlip(padding=4),
    ),
    optimizer=training.TorchNesterov(momentum=0.9),
    schedule=training.StepSchedule(
        rate=0.1, shifts=((80, 0.1), (121, 0.1)), warm_up=training.WarmUp(rate=0.01, updates=400)
    ),
    weight_decay=training.WeightDecay(1e-4, of="all"),
    batch_size=64,
    epochs=200,
    rehearsal=Trial(batch_size=4, steps=2),
    smoke=Trial(batch_size=16, epochs=1),
    sources=(
        "He et al., Identity mappings in deep residual networks, ECCV 2016, Tables 3 and 4, Appendix",
        "The settings of its released code, resnet-1k-layers, and of fb.resnet.torch beneath it",
    ),
    deviations=(8, 17, 18, 20, 23, 30, 31, 32, 35, 36, 78, 79, 80, 89),
)

if __name__ == "__main__":
    main(RECIPE)
