"""A recipe's literals, looked up by name and replaced by values of the same kind."""

import dataclasses

from crmn_legacy.errors import UserError, shown

# What a recipe is called and where it comes from is no setting.
_NAMES = {"row", "sources", "deviations"}


def like(literal, value, where):
    """`value` as what stands in the place of `literal`.

    Parameters
    ----------
    literal : bool, int, float, str, tuple or None
    value : object
        Out of a command line or a record, where tuples may have become lists.
    where : str
        What an error calls it.

    Returns
    -------
    object
        Of the type of `literal`; of any plain type where that is None.

    Raises
    ------
    UserError
        It is of another kind.
    """
    if isinstance(literal, bool) or literal is None or isinstance(literal, str):
        good = literal is None or type(value) is type(literal)
    elif isinstance(literal, int):
        good = type(value) is int
    elif isinstance(literal, float):
        good = type(value) in (int, float)
        value = float(value) if good else value
    else:
        good = isinstance(literal, tuple) and isinstance(value, list | tuple)
        value = _tuple(value) if good else value
    if not good:
        raise UserError(f"{where} got {shown(value)}, expected {type(literal).__name__} as {literal!r} is")
    return value


def replaced(recipe, name, value):
    """A recipe with another value of one literal.

    Parameters
    ----------
    recipe : dataclass
        Whose fields may be dataclasses in turn.
    name : str
        A path such as ``schedule.rate``, or its last word alone where there is one such literal.
    value : object

    Raises
    ------
    UserError
        There is no such literal, there are several, or the value is of another kind or will not do.
    """
    paths = {path: literal for path, literal in literals_of(recipe) if path not in _NAMES}
    found = [path for path in paths if path == name] or [path for path in paths if path.rpartition(".")[2] == name]
    if len(found) != 1:
        expected = ", ".join(found or paths)
        raise UserError(f"--set got {shown(name)}, expected {'one' if found else 'a literal'} of {expected}")
    try:
        return _replaced(recipe, found[0].split("."), like(paths[found[0]], value, f"--set {name}"))
    except ValueError as error:
        raise UserError(f"--set {name} got {shown(value)}, which will not do: {error}") from None


def literals_of(part, before=""):
    """Path and value of each literal of a dataclass, those of its parts included (pairs of str and object)."""
    for field in dataclasses.fields(part):
        value, path = getattr(part, field.name), f"{before}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from literals_of(value, f"{path}.")
        elif _is_literal(value):
            yield path, value


def _is_literal(value):
    if isinstance(value, tuple):
        return all(map(_is_literal, value))
    return value is None or isinstance(value, bool | int | float | str)


def _replaced(part, path, value):
    first, *rest = path
    return dataclasses.replace(part, **{first: _replaced(getattr(part, first), rest, value) if rest else value})


def _tuple(value):
    return tuple(_tuple(entry) for entry in value) if isinstance(value, list | tuple) else value
