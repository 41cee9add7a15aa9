"""``six``, which Theano brought along and its programs import, where it is not installed."""

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec

from crmn_legacy.backend import theano_names
from crmn_legacy.backend.theano_modules import six

_URLLIB = {f"six.moves.urllib.{part}": f"urllib.{part}" for part in ("error", "parse", "request", "response")}

_MOVED = {name: found for name, found in six.MOVES.items() if isinstance(found, str) and ":" not in found}

# Name -> the module that it is; for the two of our own None.
_MODULES = {
    "six": None,
    "six.moves": None,
    **{f"six.moves.{name}": found for name, found in _MOVED.items()},
    **_URLLIB,
}


def install():
    """Answer for ``six`` unless it is installed, or lies on the import path; idempotent."""
    if importlib.util.find_spec("six") is None:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds ``six`` and its modules; also is the loader of what it finds."""

    def find_spec(self, fullname, path=None, target=None):
        """A spec for what `_MODULES` names."""
        return ModuleSpec(fullname, self, is_package=True) if fullname in _MODULES else None

    def create_module(self, spec):
        """A module whose names are looked for where they are."""
        if spec.name == "six.moves":
            return theano_names.TheanoModule(spec.name, (), dict(six.MOVES))
        return theano_names.TheanoModule(spec.name, (six.__name__,), {"moves": "six.moves"})

    def exec_module(self, module):
        """Nothing; but a name for a module of today's is that module."""
        if _MODULES[module.__name__] is not None:
            sys.modules[module.__name__] = importlib.import_module(_MODULES[module.__name__])
