"""Libraries that are there but cannot be loaded: a stand-in that computes otherwise must not take their place then."""

import errno

# As the loader of shared libraries says it. Too little room for the variables of threads ("static TLS block") is no
# lack of memory: it comes from the order in which libraries are loaded.
_LACKS = ("failed to map segment", "cannot map zero-fill pages", "cannot allocate memory", "too many open files")
_NO_LACK = "static tls"


def raise_lack(library: str, error: ImportError | OSError) -> None:
    """Return if a library is missing, broken or lacks another one; else memory or open files did not suffice.

    Raises:
        MemoryError: it could be loaded with more memory, or with higher limits of this process.
    """
    said = str(error).lower()
    is_lack = any(lack in said for lack in _LACKS) and _NO_LACK not in said
    if is_lack or (isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.EMFILE, errno.ENFILE)):
        raise MemoryError(f"{library} cannot be loaded: {error}") from error
