"""Python 2's syntax written as Python 3's, line for line, by lib2to3, or where Python has it no more, by fissix."""

import ast
import contextlib
import re
import warnings

from crmn_legacy.backend.python2.runtime import as_text
from crmn_legacy.errors import UserError

# Only what Python 3 cannot read; what it reads, but takes otherwise, is the syntax tree's business.
_FIXES = ("except", "exec", "ne", "numliterals", "paren", "print", "raise", "repr", "throw", "tuple_params")

# An escape for a byte that is no character of ASCII.
_HIGH = r"(?<!\\)(?:\\\\)*\\(x[89a-fA-F]|[23][0-7]{2})"

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_tools = {}


def decoded(source):
    """Text of a source file: in the encoding that it names, else UTF-8, else Latin-1, which reads anything."""
    named = [found[1].decode() for found in map(_COOKIE.match, source.split(b"\n")[:2]) if found]
    for encoding in (*named, "utf-8-sig"):
        try:
            return _with_newlines(source.decode(encoding))
        except (LookupError, UnicodeDecodeError):
            continue
    return _with_newlines(source.decode("latin-1"))


def _with_newlines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").rstrip("\n\x1a") + "\n"


def as_python3(text, path):
    """Write the Python 2 source `text` in syntax that Python 3 reads.

    Parameters
    ----------
    text : str
    path : str
        For messages.

    Returns
    -------
    str
        With as many lines.

    Raises
    ------
    SyntaxError
        If it is no Python 2 either.
    UserError
        Neither lib2to3 nor fissix is installed.
    """
    tool, package = _refactoring()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spaced = _with_tabs_of_eight(text, package)
        try:
            return _with_strings_of_three(tool.refactor_string(spaced, path), package)
        except package.parse.ParseError as error:
            line = error.context[1][0] if error.context else 1
            shown = text.splitlines()[line - 1 : line]
            raise SyntaxError("invalid syntax", (path, line, None, shown[0] if shown else None)) from None
        except (package.tokenize.TokenError, IndentationError) as error:
            line = error.args[1][0] if isinstance(error, package.tokenize.TokenError) else error.lineno
            raise SyntaxError(str(error.args[0]), (path, line, None, None)) from None


def is_there():
    """Whether Python 2 can be converted here."""
    try:
        _refactoring()
    except UserError:
        return False
    return True


def _refactoring():
    """A tool with `_FIXES`, and the package that it is of, as a `_Package`."""
    if not _tools:
        package = _Package()
        fixes = [f"{package.name}.fixes.fix_{name}" for name in _FIXES]
        _tools["tool"] = package.refactor.RefactoringTool(fixes), package
    return _tools["tool"]


class _Package:
    """lib2to3 or fissix, and its modules."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                from lib2to3 import refactor
                from lib2to3.pgen2 import parse, tokenize
            except ImportError:
                try:
                    from fissix import refactor
                    from fissix.pgen2 import parse, tokenize
                except ImportError:
                    raise UserError(
                        "got a Python without lib2to3, expected it or fissix to convert Python 2 with: "
                        "pip install fissix"
                    ) from None
        self.name = refactor.__name__.partition(".")[0]
        self.refactor, self.parse, self.tokenize = refactor, parse, tokenize


def _with_tabs_of_eight(text, package):
    """`text` with the tabs that indent its lines as spaces up to the next eighth column, as Python 2 took them."""
    if "\t" not in text:
        return text
    lines = text.split("\n")
    inside = set()
    # What is wrong with it is told when it is parsed.
    with contextlib.suppress(package.tokenize.TokenError, IndentationError):
        for kind, _, (first, _), (last, _), _ in package.tokenize.generate_tokens(iter(text.splitlines(True)).__next__):
            if kind == package.tokenize.STRING:
                inside.update(range(first + 1, last + 1))
    for number, line in enumerate(lines, 1):
        rest = line.lstrip(" \t")
        if number not in inside and rest != line:
            lines[number - 1] = line[: len(line) - len(rest)].expandtabs(8) + rest
    return "\n".join(lines)


def _with_strings_of_three(tree, package):
    """Text of `tree`, its literal strings spelled as Python 3 has them."""
    if tree is None:
        return "\n"
    text = str(tree)
    all_unicode = re.search(r"^from __future__ import .*\bunicode_literals\b", text, re.M) is not None
    literals = [leaf for leaf in tree.leaves() if leaf.type == package.tokenize.STRING]
    for leaf in literals:
        leaf.value = _literal(leaf.value, all_unicode)
    return str(tree) if literals else text


def _literal(spelled, all_unicode):
    prefix, quote, rest = re.match(r"([a-zA-Z]*)(['\"])(.*)", spelled, re.S).groups()
    kind = prefix.lower()
    body = quote + rest
    if "r" in kind:
        if "u" in kind and re.search(r"\\u", body):
            # A raw one that knows \u all the same.
            return re.sub(r"\\(?!u[0-9a-fA-F]{4})", r"\\\\", body)
        return f"r{body}"
    if "u" in kind or (all_unicode and "b" not in kind):
        return body
    if "b" in kind and not (body.isascii() and not re.search(_HIGH, body)):
        return f"b{body}"
    if re.search(_HIGH, body) and body.isascii() and "\n" not in body:
        return ascii(as_text(ast.literal_eval(f"b{body}")))
    # A string of bytes, in which \u and \N are no escapes.
    return re.sub(r"(\\\\)|\\(?=[uUN])", lambda found: found[1] or r"\\", body)


def looks_like_python2(text, path):
    """Whether what Python 3 cannot read is Python 2 (False, too, where there is nothing to tell it by)."""
    try:
        ast.parse(as_python3(text, path), path)
    except (SyntaxError, UserError, ValueError):
        return False
    return True
