"""Files that are replaced in one step."""

import stat

import pytest

from sklearn_tree.files import replacing


def test_a_file_is_written_and_replaced(tmp_path):
    for text in ("one", "two"):
        with replacing(tmp_path / "file") as temporary:
            assert temporary.parent == tmp_path
            temporary.write_text(text)
        assert (tmp_path / "file").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def interrupted(path):
    """Write half of a file."""
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_permissions_are_those_of_the_old_file_or_of_new_files(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "other").write_text("other")
    for name in ("old", "new"):
        with replacing(tmp_path / name) as temporary:
            temporary.write_text("text")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["old"] == 0o640
    assert modes["new"] == modes["other"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_missing_folder_is_an_error(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="missing does not exist"),
        replacing(tmp_path / "missing" / "file"),
    ):
        pass
    with pytest.raises(OSError, match="is not a regular file"), replacing(tmp_path):
        pass


def test_names_may_have_255_characters(tmp_path):
    with replacing(tmp_path / ("x" * 255)) as temporary:
        temporary.write_text("text")
    assert (tmp_path / ("x" * 255)).read_text() == "text"
