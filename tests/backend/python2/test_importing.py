import os
import subprocess
import sys
import textwrap
from pathlib import Path

FILES = {
    "script.py": """
        import beside
        from package import inner
        print beside.half(7), inner.TWO, beside.__file__.endswith('beside.py')
        import installed
        print installed.half(7)
        import venv_module
    """,
    "beside.py": "def half(n):\n\treturn n / 2\nprint 'beside'\n",
    "package/__init__.py": "import constants\nfrom constants import TWO\n",
    "package/constants.py": "TWO = 5 / 2\n",
    "package/inner.py": "from constants import TWO\nimport constants as c\nfrom . import constants as d\nassert c is d",
    "lib/site-packages/installed.py": "def half(n):\n    return n / 2\n",
    "constants.py": "raise RuntimeError('the package has its own')\n",
    "lib/site-packages/venv_module.py": "assert type(range(2)) is range\n",
}


def test_what_lies_beside_and_below_is_converted_and_nothing_else(tmp_path):
    for name, text in FILES.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text).lstrip())
    path = os.pathsep.join([str(Path(__file__).parents[3]), str(tmp_path / "lib" / "site-packages")])
    done = subprocess.run(
        [sys.executable, "-m", "crmn_legacy.backend", "--python2", "script.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "beside\n3 2 True\n3.5\n"
    assert not list(tmp_path.glob("__pycache__"))
