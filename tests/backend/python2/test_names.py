import sys

import pytest

from crmn_legacy.backend.python2 import names, standard_modules


def test_sequences_are_lists(run):
    found = run(
        """
        a = range(3), range(1, 4)[::2], map(str, [1]), zip('ab', [1, 2]), filter(None, [0, 1]), range(2.0)
        b = map(None, [1, 2], [3]), map(lambda x, y: y, [1], [2, 3]), filter(str.isalpha, 'a1b'), filter(None, (0, 1))
        c = sum(xrange(4)), list(xrange(3, 0, -1)), reduce(lambda p, q: p * q, [2, 3]), apply(max, (1, 2))
        """
    )
    assert found["a"] == ([0, 1, 2], [1, 3], ["1"], [("a", 1), ("b", 2)], [1], [0, 1])
    assert found["b"] == ([(1, 3), (2, None)], [2, 3], "ab", (1,))
    assert found["c"] == (6, [3, 2, 1], 6, 2)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        (0.5, 0, 1.0),
        (2.5, 0, 3.0),
        (-0.5, 0, -1.0),
        (1.125, 2, 1.13),
        (1234, -2, 1200.0),
        (1e999, 0, 1e999),
    ],
)
def test_halves_are_rounded_away_from_zero(value, digits, rounded):
    found = names.round(value, digits)
    assert found == rounded and isinstance(found, float)


def test_types_of_before(run):
    found = run(
        """
        a = isinstance('x', basestring), isinstance(u'x', unicode), isinstance(3, long), type(u'x') == unicode
        b = unicode(3), unicode('x', 'utf-8'), unicode(u'\\xe9'), long('7'), unichr(233), issubclass(str, basestring)
        class Named(object):
            def __unicode__(self): return u'named'
        c = unicode(Named()), isinstance(open(__file__), file), StandardError is Exception, intern('x')
        """,
        __file__=__file__,
    )
    assert found["a"] == (True,) * 4
    assert found["b"] == ("3", "x", "é", 7, "é", True)
    assert found["c"] == ("named", True, True, "x")


def test_bytes_by_their_numbers(run, tmp_path):
    found = run(
        """
        x = [ord(chr(n)) for n in range(256)], ord(u'\\u1234'), unichr(200)
        f = open(place, 'wb')
        for n in range(256):
            f.write(chr(n))
        f.write('\\x89PNG\\xff')
        f.close()
        y = ord(open(place, 'rb').read()[200:201]), [ord(open(place, 'rb').read(1))]
        """,
        place=str(tmp_path / "file"),
    )
    assert found["x"] == (list(range(256)), 0x1234, "È") and found["y"] == (200, [0])
    assert (tmp_path / "file").read_bytes() == bytes(range(256)) + b"\x89PNG\xff"


def test_input_is_evaluated_and_raw_input_is_not(run, monkeypatch):
    lines = iter(["x / 2", "x / 2"])
    monkeypatch.setattr("builtins.input", lambda prompt="": next(lines))
    found = run("x = 7\na = input('?')\nb = raw_input()")
    assert (found["a"], found["b"]) == (3, "x / 2")


def test_code_in_strings_and_files_is_python_2(run, tmp_path):
    (tmp_path / "code.py").write_text("print 7 / 2\nq = 1 / 2\n")
    found = run(
        """
        def f(n):
            return eval('n / 2 # half')
        a = f(7), eval('7 / 2', {}), eval('y / 2', {'y': 9})
        names = {}
        exec "print 9 / 2; z = 5 / 2" in names
        b = names['z']
        exec "c = 7 / 2"
        execfile(place)
        exec compile("d = 1", "<x>", "exec")
        """,
        place=str(tmp_path / "code.py"),
    )
    assert found["a"] == (3, 3, 4) and (found["b"], found["c"], found["d"], found["q"]) == (2, 3, 1, 0)
    assert found["printed"] == "4\n3\n"


def test_bytes_print_as_text(run):
    assert run("print data, [1]\nprint 'a',\nprint 'b'", data=b"x")["printed"] == "x [1]\na b\n"


@pytest.fixture
def installed(monkeypatch):
    # NumPy is the next file's.
    monkeypatch.setattr(standard_modules, "install", lambda: None)
    names.install()


def test_the_idiom_of_an_encoding_by_default(run, installed):
    assert run("import sys\nreload(sys)\nsys.setdefaultencoding('utf-8')")["sys"] is sys


def test_modules_have_what_they_had(run, installed):
    found = run(
        """
        import itertools, operator, os, string, types
        from itertools import izip, imap
        a = list(izip([1], [2])), list(imap(str, [1])), os.getcwdu() == os.getcwd(), operator.isCallable(len)
        b = string.letters[:2], string.join(['a', 'b'], '-'), string.atoi('3'), string.upper('a'), string.split('a b')
        c = isinstance([], types.ListType), isinstance(u'', types.StringTypes), type(None) is types.NoneType
        """
    )
    assert found["a"] == ([(1, 2)], ["1"], True, True)
    assert found["b"] == ("ab", "a-b", 3, "A", ["a", "b"]) and found["c"] == (True,) * 3
