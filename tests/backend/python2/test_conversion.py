import pytest

from crmn_legacy.backend.python2.conversion import converted


@pytest.mark.parametrize("source", [b"print(f'{7 / 2}')", b"match x:\n    case 1: pass\n", b"def f(*, a): a / 2"])
def test_python_3_is_left_as_it_is(source):
    tree, is_python2 = converted(source, "x.py")
    assert not is_python2
    assert "__python2__" not in ast_text(tree)


@pytest.mark.parametrize("source", [b"x = 7 / 2", b"print 7 / 2", b"from __future__ import print_function\nx / y"])
def test_what_may_be_python_2_is_converted(source):
    tree, is_python2 = converted(source, "x.py")
    assert is_python2 and "__python2__" in ast_text(tree)
    compile(tree, "x.py", "exec", dont_inherit=True)


def test_lines_stay_where_they_are():
    source = b"print 1\n\n\ndef f():\n    print (\n        1,\n        undefined)\n"
    tree, _ = converted(source, "x.py")
    assert tree.body[1].lineno == 4


@pytest.mark.parametrize("source", [b"1 +\n", b"print 'a\n", b"if x:\n\ty\n    z\n  w\n", b"x = 1\0\n"])
def test_what_is_neither_is_a_syntax_error(source):
    with pytest.raises(SyntaxError):
        converted(source, "x.py")


def ast_text(tree):
    import ast

    return ast.dump(tree)
