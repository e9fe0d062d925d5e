"""Recognizes by the first bytes what is often found in place of a large file, such as a Git LFS pointer."""

from pathlib import Path

_LOOKED_AT = 512  # bytes
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HTML = (b"<!doctype html", b"<html", b"<head", b"<?xml")
_MAGIC = (
    (b"\x1f\x8b", "compressed with gzip, unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, unpack it first"),
    (b"GGUF", "in GGUF format, which is not supported"),
    (b"\x89HDF\r\n", "in TensorFlow's HDF5 format, which is not supported"),
)


def unlikely_content(path: Path) -> str | None:
    """What a file holds instead of the expected content; None if its first bytes do not show it.

    Args:
        path: a regular file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:
        return None
    if not start:
        return "it is empty"
    if start.startswith(_LFS_POINTER):
        return "it is a Git LFS pointer, fetch the file itself with: git lfs pull"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        return "it is a web page: the server answered the download with one"
    return next((f"it is {what}" for magic, what in _MAGIC if start.startswith(magic)), None)
