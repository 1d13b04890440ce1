"""Opening files that somebody named, and writing files that nobody sees half-written."""

from __future__ import annotations

import os
import resource
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from talonone_mcp.core.safe_files import (
    UnsafeFileError,
    not_private,
    open_regular,
    private_file,
    private_folder,
    read_regular,
    write_atomically,
    write_new,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are in the mode")
LIMIT = 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one file in it, and a secret beside it."""
    (tmp_path / "secret").write_bytes(b"secret")
    made = tmp_path / "folder"
    made.mkdir()
    (made / "file").write_bytes(b"content")
    return made


def refused(path: str | Path, **options: object) -> UnsafeFileError:
    with pytest.raises(UnsafeFileError) as error:
        read_regular(path, **{"max_bytes": LIMIT, **options})  # type: ignore[arg-type]
    return error.value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- What is opened ------------------------------------------------------------------------------


def test_a_file_is_read(folder: Path) -> None:
    assert read_regular(folder / "file", max_bytes=LIMIT) == b"content"
    with open_regular(folder / "file") as file:
        assert file.read(3) == b"con"


def test_a_file_that_is_not_there(folder: Path) -> None:
    for within in (None, folder):
        with pytest.raises(FileNotFoundError):
            read_regular(folder / "none", max_bytes=LIMIT, within=within)


def test_a_folder_is_no_file(folder: Path) -> None:
    for path in (folder, folder / "."):
        with pytest.raises(IsADirectoryError) as error:
            read_regular(path, max_bytes=LIMIT, within=folder)
        assert error.value.strerror == "Is a directory"


@pytest.mark.parametrize("named", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_an_error_of_the_system(folder: Path, named: str) -> None:
    for within in (None, folder):
        with pytest.raises(OSError) as error:
            read_regular(folder / named, max_bytes=LIMIT, within=within)
        assert error.value.strerror


@pytest.mark.parametrize("within", [True, False])
def test_a_pipe_is_refused_at_once(folder: Path, within: bool) -> None:
    os.mkfifo(folder / "pipe")
    found: list[UnsafeFileError] = []
    options = {"within": folder} if within else {}
    reader = threading.Thread(
        target=lambda: found.append(refused(folder / "pipe", **options)), daemon=True
    )
    reader.start()
    reader.join(timeout=5)

    assert [(each.kind, str(each)) for each in found] == [("not regular", "is no ordinary file")]


def test_a_device_and_a_socket_are_refused(folder: Path) -> None:
    assert refused("/dev/zero").kind == "not regular"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
        assert refused(folder / "socket").kind == "not regular"


def test_what_is_refused_can_be_handled_as_any_error_of_a_file(folder: Path) -> None:
    with pytest.raises(OSError) as error:
        read_regular(folder / "file", max_bytes=2)

    assert error.value.strerror == str(error.value) == "has more than 2 bytes"


# --- Size ----------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    assert read_regular(folder / "file", max_bytes=7) == b"content"
    assert refused(folder / "file", max_bytes=6).kind == "too large"
    assert str(refused(folder / "file", max_bytes=6)) == "has more than 6 bytes"
    with (folder / "file").open("r+b") as file:
        file.truncate(2**21 + 1)
    assert str(refused(folder / "file", max_bytes=2**21)) == "has more than 2 MiB"


def test_a_file_that_says_it_is_empty_is_bounded_too() -> None:
    """The size of a file in /proc is 0; one that is written meanwhile has another soon."""
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("this system has no /proc")
    assert path.stat().st_size == 0

    assert refused(path, max_bytes=10).kind == "too large"


# --- Links ---------------------------------------------------------------------------------------


def test_a_link_is_followed_unless_the_caller_forbids_it(folder: Path) -> None:
    (folder / "link").symlink_to("file")

    assert read_regular(folder / "link", max_bytes=LIMIT) == b"content"
    assert read_regular(folder / "link", max_bytes=LIMIT, within=folder) == b"content"
    for within in (None, folder):
        error = refused(folder / "link", links=False, within=within)
        assert (error.kind, str(error)) == ("link", "is a link")


def test_a_loop_of_links_is_an_error_of_the_system(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")

    for within in (None, folder):
        with pytest.raises(OSError) as error:
            read_regular(folder / "loop", max_bytes=LIMIT, within=within)
        assert error.value.strerror


def test_a_relative_path_begins_within_the_folder(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "file").write_bytes(b"deep")

    assert read_regular("below/file", max_bytes=LIMIT, within=folder) == b"deep"
    assert read_regular("below/../file", max_bytes=LIMIT, within=folder) == b"content"


def test_a_folder_that_is_itself_a_link_will_do(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(folder)

    assert read_regular("file", max_bytes=LIMIT, within=tmp_path / "other") == b"content"


@pytest.mark.parametrize(
    "links", [{"x": "../secret"}, {"x": "y", "y": "../secret"}, {"x": "../none"}, {"x": "/etc"}]
)
def test_a_link_that_leads_out_is_refused(folder: Path, links: dict[str, str]) -> None:
    for name, target in links.items():
        (folder / name).symlink_to(target)

    error = refused("x", within=folder)

    assert (error.kind, str(error)) == ("outside", f"leads out of the folder {folder}")


@pytest.mark.parametrize("path", ["../secret", "../none", "/etc/hostname", "up/secret"])
def test_a_path_that_leads_out_is_refused_whether_anything_is_there_or_not(
    folder: Path, path: str
) -> None:
    (folder / "up").symlink_to("..")

    assert refused(path, within=folder).kind == "outside"


@pytest.mark.parametrize("step", ["below", "file"])
def test_a_link_that_is_swapped_in_after_the_check_is_not_followed(
    folder: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, outside = folder / "below", tmp_path / "outside"
    for each in (below, outside):
        each.mkdir()
        (each / "file").write_bytes(each.name.encode())
    opened = os.open

    def swap(path: str | Path, flags: int, *rest: int, **named: int) -> int:
        """Be faster than the opening of the last step but one."""
        monkeypatch.setattr(os, "open", opened)
        if step == "below":
            below.rename(tmp_path / "moved")
            below.symlink_to(outside)
        else:
            (below / "file").unlink()
            (below / "file").symlink_to(outside / "file")
        return opened(path, flags, *rest, **named)

    assert read_regular("below/file", max_bytes=LIMIT, within=folder) == b"below"
    monkeypatch.setattr(os, "open", swap)
    monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, swap})

    with pytest.raises(OSError):
        read_regular("below/file", max_bytes=LIMIT, within=folder)

    assert os.open is opened, "the swap took place"


# --- Who may read --------------------------------------------------------------------------------


@POSIX
def test_a_private_file_is_for_its_owner_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "file"
    path.chmod(0o640)
    assert refused(path, private=True).kind == "exposed"
    assert str(refused(path, private=True)) == not_private(path)
    assert read_regular(path, max_bytes=LIMIT) == b"content"

    path.chmod(0o600)
    assert read_regular(path, max_bytes=LIMIT, private=True) == b"content"
    assert not_private(path) == ""

    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert str(refused(path, private=True)) == "belongs to another user"
    assert not_private(path) == "belongs to another user"


def test_what_is_no_place_for_a_secret(folder: Path) -> None:
    (folder / "link").symlink_to("file")

    assert not_private(folder / "none") == ""
    assert not_private(folder) == not_private(folder / "link") == "is no ordinary file"


# --- Writing -------------------------------------------------------------------------------------


def test_content_takes_the_place_of_a_file_or_makes_one(folder: Path) -> None:
    for name in ("file", "new"):
        write_atomically(folder / name, b"later")
        assert (folder / name).read_bytes() == b"later"
    assert sorted(each.name for each in folder.iterdir()) == ["file", "new"]


@POSIX
def test_permissions_are_those_that_are_asked_for(folder: Path) -> None:
    path = folder / "file"
    path.chmod(0o664)
    write_atomically(path, b"1", mode=None)
    assert mode(path) == 0o664

    write_atomically(path, b"2")
    assert mode(path) == 0o600

    write_atomically(path, b"3", mode=0o644)
    assert mode(path) == 0o644

    write_atomically(folder / "new", b"4", mode=None)
    assert mode(folder / "new") == 0o600


@POSIX
def test_permissions_are_right_from_the_first_byte_and_the_name_changes_last(folder: Path) -> None:
    path = folder / "file"
    path.chmod(0o644)
    seen: list[tuple[bytes, list[tuple[int, int]]]] = []

    def look() -> None:
        beside = [each for each in folder.iterdir() if each != path]
        seen.append((path.read_bytes(), [(mode(each), each.stat().st_size) for each in beside]))

    def sync(descriptor: int) -> None:
        look()
        synced(descriptor)

    old, synced = os.umask(0), os.fsync
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", sync)
            write_atomically(path, b"secret", before_rename=look)
    finally:
        os.umask(old)

    assert seen[:2] == [(b"content", [(0o600, 6)])] * 2
    assert path.read_bytes() == b"secret"


@POSIX
def test_a_new_file_is_private_before_it_has_any_content(folder: Path) -> None:
    old = os.umask(0)
    try:
        with private_file(folder / "new") as file:
            assert (mode(folder / "new"), file.tell()) == (0o600, 0)
    finally:
        os.umask(old)


def test_a_reader_sees_the_old_content_or_the_new(folder: Path) -> None:
    contents = {letter * 50_000 for letter in (b"a", b"b", b"c")}
    path = folder / "file"
    write_atomically(path, b"a" * 50_000)
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for content in sorted(contents) * 20:
            write_atomically(path, content)
    finally:
        done.set()
        reader.join()

    assert seen <= contents


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", [write_atomically, write_new])
def test_a_full_disk_leaves_what_was_there(folder: Path, write: Callable[..., None]) -> None:
    path = folder / ("file" if write is write_atomically else "new")
    with small_files(1000), pytest.raises(OSError):
        write(path, b"x" * 100_000)

    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {"file": b"content"}


@pytest.mark.parametrize("fails", ["fsync", "replace", "before_rename"])
def test_whatever_fails_leaves_what_was_there(
    folder: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif fails == "replace":
        monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(OSError, match="No space left"):
        write_atomically(
            folder / "file", b"later", before_rename=fail if fails == "before_rename" else None
        )

    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {"file": b"content"}


def test_content_is_on_the_disk_before_it_has_the_name_and_the_folder_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    synced, renamed = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        synced(descriptor)

    def rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return renamed(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)

    write_atomically(folder / "file", b"later")

    assert order == ["file", "rename", "folder"]


def test_a_link_is_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to("../secret")

    write_atomically(folder / "link", b"later", mode=None)

    assert not (folder / "link").is_symlink()
    assert mode(folder / "link") == 0o600
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_new_file_never_takes_the_place_of_another(folder: Path) -> None:
    for make in (lambda path: write_new(path, b"later"), private_file):
        with pytest.raises(FileExistsError):
            make(folder / "file")
    assert (folder / "file").read_bytes() == b"content"

    write_new(folder / "new", b"new", mode=0o640)
    assert ((folder / "new").read_bytes(), mode(folder / "new")) == (b"new", 0o640)


@POSIX
def test_a_folder_of_the_state_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    for _ in range(2):
        made = private_folder(tmp_path / "state", "inside")
        assert made == tmp_path / "state" / "inside"
    assert mode(made) == mode(tmp_path / "state") == 0o700
