"""The modules in a Python 2 script's folder and below, converted as they are imported."""

import importlib.machinery
import os
import sys

from crmn_legacy.backend.python2.conversion import code, converted


def install(folder):
    """Convert what is imported from `folder` and below, but for what is installed there; idempotent."""
    folder = os.path.realpath(folder)
    if not any(isinstance(finder, _Finder) and finder.folder == folder for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(folder))


class _Finder:
    """Finds what Python's own finder does, and has it converted where it lies in the folder."""

    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, fullname, path=None, target=None):
        """The module's spec, with a loader that converts it; None where it is not of the folder."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        if not self._is_own(spec.origin):
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        spec.cached = None
        return spec

    def _is_own(self, file):
        file = os.path.realpath(file)
        if not file.startswith(os.path.join(self.folder, "")):
            return False
        # A virtual environment may lie beside the script.
        below = file[len(self.folder) :].split(os.sep)
        return not {"site-packages", "dist-packages"}.intersection(below)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a file of Python 2."""

    def exec_module(self, module):
        """Convert and run the module."""
        from crmn_legacy.backend.python2.names import BUILTINS

        tree, is_python2 = converted(self.get_data(self.path), self.path)
        if is_python2:
            module.__builtins__ = BUILTINS
        exec(code(tree, self.path), module.__dict__)
