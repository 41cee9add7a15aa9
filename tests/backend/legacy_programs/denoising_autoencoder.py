"""Tied weights, a corrupted input, a cross entropy of sigmoids, a rate as an input with a default."""

import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

numpy_rng = numpy.random.RandomState(123)
theano_rng = RandomStreams(numpy_rng.randint(2**30))
data = (numpy_rng.uniform(size=(100, 12)) > 0.5).astype(theano.config.floatX)

x = T.matrix("x")
W = theano.shared(numpy_rng.uniform(-0.5, 0.5, size=(12, 6)).astype(theano.config.floatX), name="W")
bvis = theano.shared(numpy.zeros(12, dtype=theano.config.floatX))
bhid = theano.shared(numpy.zeros(6, dtype=theano.config.floatX), name="b")
tilde_x = theano_rng.binomial(size=x.shape, n=1, p=1 - 0.3, dtype=theano.config.floatX) * x
z = T.nnet.sigmoid(T.dot(T.nnet.sigmoid(T.dot(tilde_x, W) + bhid), W.T) + bvis)
cost = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
rate = T.scalar("rate")
params = [W, bvis, bhid]
train = theano.function(
    [x, theano.Param(rate, default=0.1)],
    cost,
    updates=[(p, p - rate * g) for p, g in zip(params, T.grad(cost, params))],
    allow_input_downcast=True,
)
for epoch in range(3):
    for start in range(0, 100, 25):
        print("cost", train(data[start : start + 25]))
print("cost", train(data, 0.05), W.get_value().std())
