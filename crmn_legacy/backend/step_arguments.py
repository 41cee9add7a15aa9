"""What a call of a step must bring: told by its name where it is missing, or fits its variable in no way."""

import numpy as np


def require(variables, given):
    """Refuse a call that lacks something, or gives another shape.

    Parameters
    ----------
    variables : dict of str to (dict of str to Variable)
        Of the parts ``state``, ``batch`` and ``rates``, by name.
    given : dict of str to (dict of str to array)

    Raises
    ------
    ValueError
        A name is missing; of a batch or the rates an array has other dimensions than its variable, by which a sum or a
        product would silently be another.
    """
    for part, wanted in variables.items():
        missing = [name for name in wanted if name not in given[part]]
        if missing:
            raise ValueError(f"got a {part} without {', '.join(map(repr, missing))}, expected {list(wanted)}")
        if part == "state":
            continue  # what a step gave, or put
        for name, variable in wanted.items():
            shape, expected = np.shape(given[part][name]), variable.type.shape
            if len(shape) != len(expected) or any(
                side not in (None, at) for at, side in zip(shape, expected, strict=True)
            ):
                sides = ", ".join("any" if side is None else str(side) for side in expected)
                raise ValueError(
                    f"got a {part} whose {name!r} has the shape {shape}, expected {len(expected)} dimensions ({sides})"
                )


def require_whole(state, leaves):
    """Refuse a state that a step has overwritten.

    Parameters
    ----------
    state : dict of str to array
    leaves : callable
        Gives the JAX arrays of which a value consists.

    Raises
    ------
    ValueError
    """
    gone = [name for name, value in state.items() if any(array.is_deleted() for array in leaves(value))]
    if gone:
        raise ValueError(
            f"got a state that a step was given before and has overwritten ({gone[0]!r} is gone), expected the one "
            "that it returned: go on with that, or compile with donate=False"
        )
