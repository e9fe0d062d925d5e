"""System calls that fail, as in an old kernel or in a container's sandbox: a seccomp filter (Linux on x86-64)."""

import ctypes
import errno
import struct
from collections.abc import Callable

OF_NEWER_KERNELS = {
    "clone3": 435,
    "close_range": 436,
    "copy_file_range": 326,
    "faccessat2": 439,
    "fallocate": 285,
    "get_mempolicy": 239,
    "io_uring_setup": 425,
    "linkat": 265,
    "mbind": 237,
    "membarrier": 324,
    "memfd_create": 319,
    "openat2": 437,
    "perf_event_open": 298,
    "pidfd_open": 434,
    "renameat2": 316,
    "rseq": 334,
    "sendfile": 40,
    "splice": 275,
    "statx": 332,
    "userfaultfd": 323,
}
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD_NUMBER = struct.pack("HBBI", 0x20, 0, 0, 0)
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def without_calls(numbers: list[int], error: int = errno.ENOSYS) -> Callable[[], None]:
    """What a new process calls to lose system calls, as do those that it starts."""
    program = [_LOAD_NUMBER]
    for number in numbers:
        program.append(struct.pack("HBBI", 0x15, 0, 1, number))  # unless it is this one, skip the next step
        program.append(struct.pack("HBBI", 0x06, 0, 0, _ERROR | error))
    program.append(struct.pack("HBBI", 0x06, 0, 0, _ALLOW))
    steps = ctypes.create_string_buffer(b"".join(program))
    described = ctypes.create_string_buffer(struct.pack("H6xP", len(program), ctypes.addressof(steps)))
    library = ctypes.CDLL(None, use_errno=True)

    def limit() -> None:
        if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or library.prctl(_SET_SECCOMP, _FILTER, described, 0, 0):
            raise OSError(ctypes.get_errno(), f"no filter of system calls ({len(steps)} bytes)")

    return limit
