"""`data faces|cifar|... [options]`: the scripts of data_prep, which travel with the package."""

import sys
from importlib import import_module

from crmn_legacy.installation import SCRIPTS

_SCRIPTS = {
    "faces": "faces_300w",
    "cifar": "cifar",
    "rendered-faces": "rendered_faces",
    "rendered-shapes": "rendered_shapes",
}


def data(arguments):
    """Run a script of data_prep with its own command line; returns its exit status."""
    return _script(arguments.kind).main(arguments.options)


def parsers():
    """The command lines of the scripts (dict of str to `crmn_legacy.parser.Parser`), by what they prepare."""
    return {kind: _script(kind).parser() for kind in _SCRIPTS}


def _script(kind):
    """The script of what is prepared, as a module: its processes find their functions by this path too."""
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))
    return import_module(f"data_prep.{_SCRIPTS[kind]}")
