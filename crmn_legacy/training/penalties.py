"""What holds weights back: decay, and constraints on their norms."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class WeightDecay:
    """Half the sum of squares, times a coefficient, added to the loss.

    Parameters
    ----------
    coefficient : float
    of : {'weights', 'all'}
        Of the regularizable parameters, which biases and batch norm are not; or of all that are trained.
    multipliers : tuple of (str, float)
        Patterns over parameters' names, as of `fnmatch`, and what the coefficient is multiplied by there; the first
        that fits counts.

    Raises
    ------
    ValueError
        `of` is neither.
    """

    coefficient: float
    of: str = "weights"
    multipliers: tuple = ()

    def __post_init__(self):
        if self.of not in ("weights", "all"):
            raise ValueError(f"WeightDecay got of={self.of!r}, expected 'weights' or 'all'")

    def added_to(self, loss, network, among=None):
        """The loss and the penalty of the network's parameters (an expression), or of those of them in `among`."""
        import aesara.tensor as T
        import lasagne

        tags = {"trainable": True} | ({"regularizable": True} if self.of == "weights" else {})
        groups = {}
        for parameter in lasagne.layers.get_all_params(network, **tags):
            if among is not None and parameter not in among:
                continue
            factor = next((factor for pattern, factor in self.multipliers if fnmatchcase(parameter.name, pattern)), 1)
            groups.setdefault(factor, []).append(parameter)
        for factor, members in groups.items():
            if self.coefficient * factor:
                squares = _sum([T.square(w).sum() for w in members])
                loss = loss + 0.5 * (self.coefficient * factor) * squares
        return loss

    def describe(self):
        """Its settings; the coefficient alone where that says all."""
        plain = self.of == "weights" and not self.multipliers
        return self.coefficient if plain else asdict(self)


def _sum(terms, length=32):
    """Sum of scalars from the first to the last, `length` terms a node.

    One node for all would take the square of their number: Aesara goes through all of a node's inputs for each of them
    where it builds gradients. One for each would make the graph as deep as the network has parameters.
    """
    import aesara.tensor as T

    total, *terms = terms
    for start in range(0, len(terms), length):
        total = T.add(total, *terms[start : start + length])
    return total


@dataclass(frozen=True)
class MaxNorm:
    """After each update, weights of a unit whose norm exceeds a limit are scaled down to it.

    As `lasagne.updates.norm_constraint`: a column of a dense layer's W, a filter of a convolution's.

    Parameters
    ----------
    parameters : str
        Pattern over parameters' names, as of `fnmatch`.
    norm : float
        The limit, of the Euclidean norm.

    References
    ----------
    Srebro and Shraibman, 2005; Hinton et al., 2012.
    """

    parameters: str
    norm: float

    def constrain(self, updates):
        """Constrain the new values in `updates`, in place.

        Raises
        ------
        ValueError
            No parameter fits the pattern.
        """
        import lasagne

        chosen = [variable for variable in updates if fnmatchcase(variable.name or "", self.parameters)]
        if not chosen:
            raise ValueError(f"MaxNorm got the pattern {self.parameters!r}, which no parameter fits")
        for parameter in chosen:
            updates[parameter] = lasagne.updates.norm_constraint(updates[parameter], self.norm)

    def describe(self):
        """Its settings (a dict)."""
        return asdict(self)


def as_decay(decay):
    """A `WeightDecay`, of a number too."""
    return decay if isinstance(decay, WeightDecay) else WeightDecay(decay)
