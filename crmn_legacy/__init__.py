"""Deep convolutional networks with non-convolutional recurrent memory, on Lasagne 0.1 and Aesara.

Importing this package makes Theano's names importable, so that after it ``import lasagne`` works; it imports
neither NumPy nor Aesara itself, so that what needs no network (``verify``, ``--help``) starts at once.
"""

from crmn_legacy import backend, errors

__version__ = "0.1.0"

# Public name -> "module:attribute" (or "module" alone), imported when first asked for (PEP 562).
_LAZY = {
    "Recipe": "crmn_legacy.recipe:Recipe",
    "Trial": "crmn_legacy.recipe:Trial",
    "main": "crmn_legacy.recipe:main",
}

backend.install()


def __getattr__(name):
    try:
        reference = _LAZY[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    errors.tell_uncaught()
    # A recipe asks for these before it asks for anything that brings NumPy in, which reads its switches only once.
    backend.resolve("crmn_legacy.backend.determinism").pin_host()
    value = globals()[name] = backend.resolve(reference)
    return value


def __dir__():
    return sorted([*globals(), *_LAZY])
