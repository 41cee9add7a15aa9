"""Links and stubs of files that are still elsewhere are told as such, whatever was to be read."""

import pytest

from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.files.photographs import open_picture, read_points
from crmn_legacy.errors import UserError
from data_prep.cifar_release import RELEASES, read_files

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
ANNEX = b"/annex/objects/SHA256E-s1--0.jpg\n"


def read_cifar(path):
    path.rename(path.with_name("data_batch_1"))
    return read_files(RELEASES[0], path.parent, checked=False)


@pytest.mark.parametrize("read", [read_faces, open_picture, read_points, read_cifar])
class TestWhatIsElsewhere:
    @pytest.mark.parametrize("target", ["../.git/annex/objects/x", "/nowhere/x", "link"])
    def test_a_link_that_leads_nowhere_is_told(self, tmp_path, read, target):
        (tmp_path / "file").symlink_to(target)
        (tmp_path / "link").symlink_to("/nowhere/y")
        with pytest.raises(UserError, match=r"a link to '.*', which is not there; expected .*git annex get, dvc pull"):
            read(tmp_path / "file")

    @pytest.mark.parametrize(("stub", "mend"), [(LFS, "git lfs pull"), (ANNEX, "git annex get")])
    def test_a_stub_is_told_with_the_command_that_fetches(self, tmp_path, read, stub, mend):
        (tmp_path / "file").write_bytes(stub)
        with pytest.raises(UserError, match=f"stands for a file that is not here; expected .*: {mend}"):
            read(tmp_path / "file")
