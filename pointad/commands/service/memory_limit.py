"""How much memory the process that inspects may take."""

import resource
from pathlib import Path


def limit_memory(bytes_more: int) -> None:
    """Let this process take no more than so many bytes beyond what it has now; where Linux counts them, else nothing.

    Allocations beyond it fail, which is an error of one scan. Nothing is done on a GPU, whose driver maps more memory
    than it uses.
    """
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmData"))
        most = kilobytes * 1024 + bytes_more
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
