"""LeNet with the calls of 2015: conv2d of nnet.conv with shapes, max_pool_2d, dimshuffled biases, flatten(2)."""

import numpy
import theano
import theano.tensor as T
from theano.tensor.nnet import conv
from theano.tensor.signal import downsample

rng = numpy.random.RandomState(23455)
floatX = theano.config.floatX
images = rng.rand(40, 12 * 12).astype(floatX)
labels = (images[:, :72].sum(axis=1) > images[:, 72:].sum(axis=1)).astype("int32")
data_x, data_y = theano.shared(images, borrow=True), theano.shared(labels, borrow=True)


class LeNetConvPoolLayer(object):
    def __init__(self, input, filter_shape, image_shape, poolsize=(2, 2)):
        fan_in = numpy.prod(filter_shape[1:])
        fan_out = filter_shape[0] * numpy.prod(filter_shape[2:]) / numpy.prod(poolsize)
        bound = numpy.sqrt(6.0 / (fan_in + fan_out))
        self.W = theano.shared(numpy.asarray(rng.uniform(-bound, bound, filter_shape), dtype=floatX), borrow=True)
        self.b = theano.shared(value=numpy.zeros((filter_shape[0],), dtype=floatX), borrow=True)
        conv_out = conv.conv2d(input=input, filters=self.W, filter_shape=filter_shape, image_shape=image_shape)
        pooled_out = downsample.max_pool_2d(input=conv_out, ds=poolsize, ignore_border=True)
        self.output = T.tanh(pooled_out + self.b.dimshuffle("x", 0, "x", "x"))
        self.params = [self.W, self.b]


batch = 10
index, x, y = T.lscalar(), T.matrix("x"), T.ivector("y")
layer0 = LeNetConvPoolLayer(x.reshape((batch, 1, 12, 12)), (4, 1, 3, 3), (batch, 1, 12, 12))
layer1 = LeNetConvPoolLayer(layer0.output, (6, 4, 2, 2), (batch, 4, 5, 5))
W = theano.shared(numpy.asarray(rng.uniform(-0.3, 0.3, (6 * 2 * 2, 2)), dtype=floatX))
p_y = T.nnet.softmax(T.dot(layer1.output.flatten(2), W))
cost = -T.mean(T.log(p_y)[T.arange(y.shape[0]), y])
params = layer1.params + layer0.params + [W]
updates = [(p, p - 0.1 * g) for p, g in zip(params, T.grad(cost, params))]
train_model = theano.function(
    [index],
    cost,
    updates=updates,
    givens={x: data_x[index * batch : (index + 1) * batch], y: data_y[index * batch : (index + 1) * batch]},
)
for epoch in range(3):
    print("cost", [float(train_model(i)) for i in range(4)])
