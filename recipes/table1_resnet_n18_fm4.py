"""Table 1, "ResNet, n = 18, fm = 4": facial keypoints by the plain 110-layer ResNet, a baseline of the CRMN."""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table1_resnet_n18_fm4",
    network=lambda n=18, fm=4: models.resnet(
        models.face_input((1, 80, 80)),
        n=n,
        num_filters=16 * fm,
        num_outputs=136,
        nonlinearity=models.sigmoid,
    ),
    smallest={"n": 1, "fm": 1},
    task=training.Keypoints(
        augmentation=data.FaceAugmentation(scale=0.1, translation=0.1, rotation=20, occlusion=(20, 50)),
    ),
    optimizer=training.NesterovMomentum(momentum=0.9),
    schedule=training.RateSchedule(
        rate=0.08,
        factors=(0.1, 0.5, 0.2),
        minimum_epochs=40,
        patience=5,
        components=("resnet", "output"),
        round_robin=True,
    ),
    weight_decay=1e-10,
    batch_size=64,
    epochs=100,
    rehearsal=Trial(batch_size=8, steps=3),
    smoke=Trial(batch_size=16, epochs=1),
    sources=("Moniz and Pal, 2017, Sections 3, 4 and 4.1, Table 1",),
    deviations=(1, 2, 3),
)

if __name__ == "__main__":
    main(RECIPE)
