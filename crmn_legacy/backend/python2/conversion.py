"""The syntax tree of a Python 2 program that does under Python 3 what it did."""

import ast
import warnings

from crmn_legacy.backend.python2 import meaning, syntax


def converted(source, path):
    """Parse Python 2; what is plainly Python 3 is left as it is.

    Parameters
    ----------
    source : bytes or str
    path : str
        For messages.

    Returns
    -------
    tree : ast.Module
    is_python2 : bool
        Whether it was converted, and wants Python 2's builtins.

    Raises
    ------
    SyntaxError
        If it is neither.
    UserError
        If there is nothing at hand to convert it with.
    """
    text = f"{source.rstrip()}\n" if isinstance(source, str) else syntax.decoded(source)
    with warnings.catch_warnings():
        # Escapes like \d in strings of bytes.
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text, path)
        except (SyntaxError, ValueError):
            tree = None
        if tree is not None and meaning.is_only_python3(tree):
            return tree, False
        try:
            text = syntax.as_python3(text, path)
        except SyntaxError:
            if tree is None:
                raise
            return tree, False
        return meaning.as_python2_meant(ast.parse(text, path)), True


def code(tree, path, kind="exec"):
    """Compile a tree of `converted`, without Python 3's remarks on what Python 2 took in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(tree, path, kind, dont_inherit=True)
