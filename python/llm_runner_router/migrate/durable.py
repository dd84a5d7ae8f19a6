"""Files and folders that survive a loss of power once the function that makes them returns.

All of them raise OSError. Modes are exact, whatever the umask is; owners are kept where that is
permitted.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

FILE_BITS, FOLDER_BITS = 0o664, 0o775
"""What new files and folders may take over of the mode of the folder they lie in."""


def sync(path: Path) -> None:
    """Bring a file's content, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(top: Path) -> None:
    """Bring the names in ``top`` and in every folder below to the disk."""
    for place, _, _ in os.walk(top, topdown=False):
        sync(Path(place))


def write(path: Path, content: bytes, like: os.stat_result, modified_ns: int | None = None) -> None:
    """A new file with the mode and the owner of ``like``. Its name is not yet on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        adopt(path, like)
        os.fchmod(descriptor, S_IMODE(like.st_mode))
        if modified_ns is not None:
            os.utime(descriptor, ns=(modified_ns, modified_ns))
        os.fsync(descriptor)


def adopt(path: Path, like: os.stat_result) -> None:
    """Give ``path`` the owner of ``like``, where this process may."""
    with suppress(PermissionError):
        os.chown(path, like.st_uid, like.st_gid, follow_symlinks=False)


def new_like(folder: Path, bits: int) -> os.stat_result:
    """What a new file or folder in ``folder`` is like: as open as ``folder``, within ``bits``.

    Parents that are to be made first are looked through.
    """
    while not folder.is_dir():
        folder = folder.parent
    like = folder.stat()
    return with_mode(like, S_IMODE(like.st_mode) & bits)


def with_mode(like: os.stat_result, mode: int) -> os.stat_result:
    """The owner of ``like``, and a mode."""
    return os.stat_result((mode, *like[1:]))


def make_folder(path: Path, mode: int) -> None:
    """A folder that may be there already; its name is on the disk."""
    path.mkdir(exist_ok=True)
    adopt(path, path.parent.stat())
    path.chmod(mode)
    sync(path.parent)


def make_parents(path: Path, top: Path) -> None:
    """The folders between ``top`` and ``path``, for this user alone."""
    missing = []
    while path.parent != top and not path.parent.is_dir():
        missing.append(path := path.parent)
    for folder in reversed(missing):
        make_folder(folder, 0o700)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name, in one moment; both folders know it when this returns."""
    source.rename(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def copy(source: Path, target: Path) -> None:
    """A file, or a symbolic link as such, with its mode, owner and times. Overwrites."""
    target.unlink(missing_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
    like = source.lstat()
    adopt(target, like)
    if not target.is_symlink():
        target.chmod(S_IMODE(like.st_mode))
        sync(target)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it. It may be gone already."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
        sync(folder.parent)
