"""A package's submodules as its attributes, imported when they are first asked for (PEP 562)."""

import importlib


def attributes(package):
    """``__getattr__`` and ``__dir__`` of a package that has its submodules as attributes.

    Parameters
    ----------
    package : dict
        The package's ``globals()``.

    Returns
    -------
    tuple of callable

    Examples
    --------
    >>> import crmn_legacy
    >>> crmn_legacy.metrics.NORMALISERS["outer-corners"].left
    (36,)
    >>> "peephole_lstm" in dir(crmn_legacy.layers)
    True
    """
    name = package["__name__"]

    def names():
        from pkgutil import iter_modules

        # `__main__` is a program.
        return [found.name for found in iter_modules(package["__path__"]) if not found.name.startswith("_")]

    def imported(attribute):
        # Python itself asks a module for names in underscores, often.
        if not attribute.startswith("_") and attribute in names():
            return importlib.import_module(f"{name}.{attribute}")
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

    def listed():
        return sorted({*package, *names()})

    return imported, listed
