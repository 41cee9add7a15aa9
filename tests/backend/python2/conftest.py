import contextlib
import io
import textwrap

import pytest

from crmn_legacy.backend.python2 import names
from crmn_legacy.backend.python2.conversion import code, converted


@pytest.fixture
def run():
    """Run Python 2 source as converted code runs, and give its names; `printed` is what it printed."""

    def run(source, **given):
        tree, is_python2 = converted(textwrap.dedent(source).encode(), "<test>")
        assert is_python2
        found = {"__builtins__": names.BUILTINS, "__name__": "test", "__package__": None, **given}
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code(tree, "<test>"), found)
        return {**found, "printed": printed.getvalue()}

    return run
