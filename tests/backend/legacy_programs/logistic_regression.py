"""Softmax regression as the tutorials had it: shared data, an index, givens with slices, a negative log likelihood."""

import numpy
import theano
import theano.tensor as T

rng = numpy.random.RandomState(123)
data = rng.normal(size=(200, 8)).astype(theano.config.floatX)
labels = (data[:, 0] + data[:, 1] > 0).astype("int64") + (data[:, 2] > 0)
shared_x = theano.shared(numpy.asarray(data, dtype=theano.config.floatX), borrow=True)
shared_y = T.cast(theano.shared(numpy.asarray(labels, dtype=theano.config.floatX), borrow=True), "int32")


class LogisticRegression(object):
    def __init__(self, input, n_in, n_out):
        self.W = theano.shared(numpy.zeros((n_in, n_out), dtype=theano.config.floatX), name="W", borrow=True)
        self.b = theano.shared(numpy.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]

    def negative_log_likelihood(self, y):
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y):
        return T.mean(T.neq(self.y_pred, y))


batch_size = 20
n_batches = shared_x.get_value(borrow=True).shape[0] // batch_size
index, x, y = T.lscalar(), T.matrix("x"), T.ivector("y")
classifier = LogisticRegression(x, 8, 3)
cost = classifier.negative_log_likelihood(y)
part = slice(index * batch_size, (index + 1) * batch_size)
train_model = theano.function(
    inputs=[index],
    outputs=cost,
    updates=[(p, p - 0.13 * T.grad(cost=cost, wrt=p)) for p in classifier.params],
    givens={x: shared_x[part], y: shared_y[part]},
)
test_model = theano.function([index], classifier.errors(y), givens={x: shared_x[part], y: shared_y[part]})
for epoch in range(5):
    print("loss", numpy.mean([train_model(i) for i in range(n_batches)]))
    print("errors", numpy.mean([test_model(i) for i in range(n_batches)]))
