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
    # Its processes find their functions by this path too, so it is a module and not a script that is run.
    sys.path.append(str(SCRIPTS))
    return import_module(f"data_prep.{_SCRIPTS[arguments.kind]}").main(arguments.options)
