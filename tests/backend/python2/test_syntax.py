import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy.backend.python2 import syntax


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"x = 1\r\ny = 2\r", "x = 1\ny = 2\n"),
        (b"\xef\xbb\xbfx = 1", "x = 1\n"),
        ("# coding: latin-1\ns = 'é'".encode("latin-1"), "# coding: latin-1\ns = 'é'\n"),
        ("#!/x\n# -*- coding: utf-8 -*-\ns = 'é'".encode(), "#!/x\n# -*- coding: utf-8 -*-\ns = 'é'\n"),
        ("s = 'é'".encode("latin-1"), "s = 'é'\n"),
        ("s = 'é'".encode(), "s = 'é'\n"),
        ("# coding: no-such\ns = 'é'".encode(), "# coding: no-such\ns = 'é'\n"),
        (b"", "\n"),
    ],
)
def test_a_source_is_read_in_whatever_encoding_it_is(source, text):
    assert syntax.decoded(source) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print 'a', 1,", "print('a', 1, end=' ')"),
        ("print >>f, 'a'", "print('a', file=f)"),
        ("raise ValueError, 'no'", "raise ValueError('no')"),
        ("x = `y`", "x = repr(y)"),
        ("x = 0777 + 10L", "x = 0o777 + 10"),
        ("if a <> b: pass", "if a != b: pass"),
        ("exec code in names", "exec(code, names)"),
        ("[x for x in 1, 2]", "[x for x in (1, 2)]"),
        (r"s = ur'\d\u00e9'", r"s = '\\d\u00e9'"),
        (r"s = u'\u00e9'", r"s = '\u00e9'"),
        (r"s = 'C:\users\N'", r"s = 'C:\\users\\N'"),
        (r"s = 'a\\users'", r"s = 'a\\users'"),
        (r"s = b'abc'", r"s = 'abc'"),
        (r"s = b'\xff'", r"s = b'\xff'"),
        (r"s = '\xff\0'", r"s = '\udcff\x00'"),
        (r"s = '\xc3\xa9'", r"s = '\xe9'"),
        (r"s = u'\xff'", r"s = '\xff'"),
        (r"s = 'a\\xff'", r"s = 'a\\xff'"),
        (r"s = '\377'", r"s = '\udcff'"),
        (r"s = r'\u'", r"s = r'\u'"),
        ("from __future__ import print_function\nprint('a', file=f)",) * 2,
        (r"from __future__ import unicode_literals" + "\n" + r"s = '\u00e9'",) * 2,
        ("", ""),
    ],
)
def test_what_python_3_cannot_read_is_written_otherwise(before, after):
    assert syntax.as_python3(f"{before}\n", "x.py") == f"{after}\n"


def test_a_handler_and_a_parameter_that_was_taken_apart():
    text = syntax.as_python3("def f((a, b), c):\n    try: pass\n    except (E, F), e: pass\n", "x.py")
    compile(text, "x.py", "exec")
    assert "as e" in text


def test_a_tab_ends_at_the_eighth_column_but_not_within_a_string():
    source = 'if a:\n        x = 1\n\ty = 2\n    \tz = """\n\ttab"""\n'
    assert syntax.as_python3(source, "x.py") == 'if a:\n        x = 1\n        y = 2\n        z = """\n\ttab"""\n'


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = 1\n1 +\n", 2), ("x = (\n", 2), ("if x:\n        y\n    z\n", 3), ("print 1 c\n", 1)],
)
def test_what_is_no_python_at_all_has_its_line(source, line):
    with pytest.raises(SyntaxError) as caught:
        syntax.as_python3(source, "x.py")
    assert (caught.value.filename, caught.value.lineno) == ("x.py", line)
    assert not syntax.looks_like_python2(source, "x.py")


def test_python_2_is_told_from_a_slip_of_the_pen():
    assert syntax.looks_like_python2("print 1\n", "x.py")
    assert not syntax.looks_like_python2("x = = 1\n", "x.py")


def test_without_a_converter_that_is_told_in_one_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("print 1\n")
    code = (
        "import runpy, sys\nsys.modules.update(lib2to3=None, fissix=None)\n"
        f"sys.argv = ['x', '--python2', {str(script)!r}]\n"
        "runpy.run_module('crmn_legacy.backend', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 2
    assert done.stderr == (
        "error: got a Python without lib2to3, expected it or fissix to convert Python 2 with: pip install fissix\n"
    )


def test_fissix_does_where_python_has_no_lib2to3(monkeypatch):
    pytest.importorskip("fissix")
    monkeypatch.setitem(sys.modules, "lib2to3", None)
    monkeypatch.setattr(syntax, "_tools", {})
    assert syntax.as_python3("print ur'a'\n", "x.py") == "print(r'a')\n"
