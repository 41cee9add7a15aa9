"""Commands of a document, and what it says they print, are read and compared as a reader would."""

import pytest

from tests.walkthrough import Step, commands, in_small, matches, steps, takes_long


def test_a_command_that_nobody_tries_is_noticed():
    with pytest.raises(AssertionError, match="nobody tries"):
        in_small("curl something")


def test_commands_are_read_from_their_blocks_only():
    text = (
        "```bash\n# first\npython a.py \\\n    --b\n```\n\n```\nno command\n```\n```console\n$ ls\na\nb\n$ pwd\n```\n"
    )
    assert commands(text) == ["python a.py --b", "ls", "pwd"]
    assert steps(text) == [Step("python a.py --b"), Step("ls", "a\nb\n"), Step("pwd", "")]


def test_a_program_is_one_step():
    assert steps("```python\nx = 1\nprint(x)\n```\n") == [Step("x = 1\nprint(x)\n", is_program=True)]


@pytest.mark.parametrize(
    ("expected", "printed", "whether"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nb  \n\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("a ... c\n", "a b b c\n", True),
        ("a ... c\n", "a b\nb c\n", False),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\n", "a\n", True),
        ("1.5%\n", "105%\n", False),
        ("", "a\n", False),
    ],
)
def test_dots_stand_for_what_is_left_out(expected, printed, whether):
    assert matches(expected, printed) is whether


@pytest.mark.parametrize(
    ("command", "whether"),
    [
        ("python recipes/table1_crmn.py --out runs/a", True),
        ("python recipes/table1_crmn.py --smoke", False),
        ("python recipes/table1_crmn.py --smoke --data faces.h5", True),
        ("python recipes/table1_crmn.py --describe", False),
        ("python data_prep/rendered_faces.py --out faces.h5", True),
        ("python -m crmn_legacy verify runs/a", False),
    ],
)
def test_what_takes_long_is_known(command, whether):
    assert takes_long(command) is whether
