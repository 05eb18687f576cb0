import gzip

import pytest

from alignscope._util.files import read_lines, write_lines


def test_gzip_files_have_no_time_stamp(tmp_path):
    path = tmp_path / "a.gz"
    write_lines(["a", ""], path)
    assert path.read_bytes()[4:8] == bytes(4)  # MTIME, RFC 1952
    assert gzip.decompress(path.read_bytes()) == b"a\n\n"
    assert read_lines(path) == ["a", ""]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    occupied = tmp_path / "folder"
    occupied.mkdir()
    with pytest.raises(OSError, match="folder"):
        write_lines(["a"], occupied)
    assert list(tmp_path.iterdir()) == [occupied]
