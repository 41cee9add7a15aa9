"""A recipe of the smallest network of its family: it takes the place of the row's own where tests run it often."""

from crmn_legacy import Recipe, Trial, data, main, models, training

RECIPE = Recipe(
    row="table1_crmn",
    network=lambda num_filters=2: models.crmn(
        models.face_input((1, 16, 16)),
        n=1,
        num_filters=num_filters,
        pool_size=4,
        num_units=3,
        num_outputs=136,
        nonlinearity=models.sigmoid,
    ),
    smallest={"num_filters": 1},
    task=training.Keypoints(
        augmentation=data.FaceAugmentation(size=16, scale=0.1, translation=0.1, rotation=20, occlusion=(2, 6)),
    ),
    optimizer=training.NesterovMomentum(momentum=0.9),
    schedule=training.RateSchedule(rate=0.05, factors=(0.1, 0.5), minimum_epochs=1, patience=1, round_robin=True),
    weight_decay=1e-4,
    batch_size=4,
    epochs=3,
    rehearsal=Trial(batch_size=4, steps=2),
    smoke=Trial(batch_size=4, epochs=1),
    sources=("tests",),
    deviations=(),
)

if __name__ == "__main__":
    main(RECIPE)
