"""A tiny classifier with all that a peer may have: dropout, random inference, a warm-up, a momentum of Torch's."""

# ruff: noqa: I001 - Lasagne can be imported after the package that brings Theano's names
from crmn_legacy import Recipe, Trial, data, layers, main, models, training
from lasagne.layers import DenseLayer, GlobalPoolLayer


class HalfLayer(layers.DropoutLayer):
    """Keeps half of the numbers, in inference too."""

    def get_output_for(self, input, deterministic=False, sampling=False, **keywords):
        if deterministic and not sampling:
            return input / 2
        return input * self.random_numbers.keep(0.5, [input.shape[0], *self.input_shape[1:]])


def network(num_filters=3):
    """Convolution, two kinds of noise, global pool, softmax."""
    layer = models.picture_input((3, 32, 32))
    layer = layers.Conv2DLayer(layer, num_filters, 3, stride=4, name="stem.conv")
    layer = layers.DropoutLayer(HalfLayer(layer, name="stem.half"), 0.2, name="stem.dropout")
    return DenseLayer(GlobalPoolLayer(layer), 10, nonlinearity=models.softmax, name="output")


RECIPE = Recipe(
    row="table3_swapout",
    network=lambda num_filters=3: network(num_filters),
    smallest={"num_filters": 1},
    task=training.Classification(
        num_classes=10, preprocessing=data.ChannelMeanStd(), augmentation=data.CropFlip(padding=4), samples=3
    ),
    optimizer=training.TorchNesterov(momentum=0.9),
    schedule=training.StepSchedule(
        rate=0.1, shifts=((7, 0.1),), unit="updates", warm_up=training.WarmUp(rate=0.01, training_error=2.0, window=3)
    ),
    weight_decay=training.WeightDecay(1e-3, of="all"),
    batch_size=100,
    epochs=2,
    rehearsal=Trial(batch_size=100, steps=2),
    smoke=Trial(batch_size=100, epochs=1),
    sources=("tests",),
    deviations=(),
    constraints=(training.MaxNorm("stem.conv.W", 0.5),),
)

if __name__ == "__main__":
    main(RECIPE)
