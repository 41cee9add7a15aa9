"""Computing with what a mask selects, against Aesara's Python code."""

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees

RNG = np.random.default_rng(0)
X, Y, M, W, T = at.dmatrix("x"), at.dvector("y"), at.dmatrix("m"), at.dmatrix("w"), at.lmatrix("t")
MASK = np.array([[1.0, 0, 2, 0], [0, 0, 1, 1], [1, 0, 0, 0]])
VALUES = [RNG.normal(size=(3, 4)), RNG.normal(size=3), MASK, RNG.normal(size=(4, 5)), RNG.integers(0, 5, (3, 4))]
INPUTS = [X, Y, M, W, T]


def assert_all_agree(outputs, wrt=(X,)):
    assert_agrees(INPUTS, outputs, VALUES, wrt=wrt)


def selections():
    """What selects the same elements of a matrix: by its places, and by a mask."""
    return M.nonzero(), at.gt(M, 0).nonzero(), at.gt(M, 0).astype("bool")


@pytest.mark.parametrize("kind", range(3))
def test_elements_are_replaced_and_added_to(kind):
    index = selections()[kind]
    changed = [
        change(X[index], y) for change in (at.set_subtensor, at.inc_subtensor) for y in (2.5, X[index] ** 2, Y[0])
    ]
    assert_all_agree([*changed, at.set_subtensor(X[index], X[index].sum())])


@pytest.mark.parametrize("kind", range(3))
def test_selections_are_reduced(kind):
    chosen = X[selections()[kind]]
    assert_all_agree(
        [chosen.sum(), chosen.mean(), (chosen**2 + at.exp(chosen)).mean(), chosen.prod(), at.sqr(chosen).var()]
    )
    assert_all_agree([chosen.max(), chosen.min()])
    assert_all_agree([(chosen > 0).any(), at.all(chosen > -9), chosen.argmax(), chosen.argmin()], wrt=())
    whole = T[selections()[kind]]
    assert_all_agree(
        [whole.sum(), whole.max(), whole.min(), chosen.shape[0], chosen.shape, chosen.size, whole.mean()], wrt=()
    )


def test_rows_are_selected_and_summed():
    rows = at.gt(Y, -0.5).nonzero()[0]
    for chosen in (X[rows], X[at.gt(Y, -0.5).nonzero()]):
        assert_all_agree(
            [chosen.sum(0), chosen.sum(1).sum(), chosen.mean(), chosen.max(1).sum(), chosen.mean(0), chosen.max(0)]
        )
        assert_all_agree(
            [at.dot(chosen, W).sum(), at.dot(chosen.T, at.tanh(chosen)), at.dot(W.T, chosen.T).sum(1)], wrt=(X, W)
        )
        assert_all_agree(
            [at.dot(chosen[:, 1], chosen[:, 0]), chosen[:, 1:3].sum(), at.nnet.softmax(chosen, axis=1).max(0)]
        )
        assert_all_agree(
            [at.set_subtensor(X[rows], 0.0), at.inc_subtensor(X[rows], X[rows] ** 2), at.inc_subtensor(X[rows], X[0])]
        )


def test_a_loss_over_what_is_not_padded():
    """Logarithms of zero stand where nothing is selected, and leave nothing in the gradient."""
    scores = at.dtensor3()
    values = [RNG.normal(size=(3, 4, 5)), MASK, VALUES[4]]
    probabilities = at.nnet.softmax(
        at.switch(at.gt(M, 0).dimshuffle(0, 1, "x"), scores, scores * 0 - 1e9 * scores), axis=2
    )
    for index in selections():
        picked = at.nnet.categorical_crossentropy(probabilities[index], T[index])
        assert_agrees([scores, M, T], [picked.mean(), picked.sum()], values, wrt=[scores])
        flat = at.log(at.switch(at.gt(M, 0), X, 0) ** 2)[index]
        assert_all_agree([flat.mean()])


def test_a_table_is_looked_up_and_added_to_where_something_is_selected():
    words = T[at.gt(M, 0).nonzero()]
    assert_all_agree([W.T[words].sum(0), at.tanh(W.T[words]).mean()], wrt=(W,))
    assert_all_agree([at.set_subtensor(W.T[words], 1.0), at.inc_subtensor(W.T[words], at.tanh(W.T[words]))], wrt=())


def test_nothing_may_be_selected():
    index = at.gt(M, 99).nonzero()
    assert_all_agree([X[index].sum(), at.set_subtensor(X[index], 1.0), X[index].shape[0]], wrt=())


@pytest.mark.parametrize("x64", [False, True])
def test_types_are_aesaras(x64):
    x, m = at.fmatrix(), at.imatrix()
    chosen = x[m.nonzero()]
    outputs = [chosen.sum(), at.set_subtensor(chosen, 0), m[m.nonzero()].sum(), chosen.shape[0]]
    with jax.experimental.enable_x64(x64):
        found = jax.jit(lower([x, m], outputs))(np.ones((2, 2), "float32"), np.eye(2, dtype="int32"))
    assert [str(value.dtype) for value in found[:2]] == ["float32", "float32"]
    assert [float(value.sum()) for value in found] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: X[M.nonzero()],
        lambda: X[M.nonzero()][::-1].sum(),
        lambda: at.sort(X[M.nonzero()]).sum(),
        lambda: X[M.nonzero()].reshape((-1, 1)).sum(),
        lambda: (X[M.nonzero()] * X[at.gt(X, 0).nonzero()]).sum(),
        lambda: at.zeros(X[M.nonzero()].shape[0]),
        lambda: aesara.ifelse.ifelse(at.gt(Y[0], 0), X[M.nonzero()], Y).sum(),
    ],
)
def test_what_must_know_how_much_is_selected_is_refused(make):
    with pytest.raises(NotImplementedError, match="depends on the data"):
        jax.jit(lower(INPUTS, [make()]))(*VALUES)


def test_the_node_that_selected_is_named():
    chosen = X[M.nonzero()]
    with pytest.raises(NotImplementedError) as caught:
        jax.jit(lower(INPUTS, [at.sort(chosen).sum()]))(*VALUES)
    assert type(caught.value.lowered_node.op).__name__ == "Nonzero"
