"""Builds tensors from torch's pickles: dense ones of ordinary numbers, and plain containers.

A storage is the memory that one or more tensors are views of. Every tensor must lie within its storage and not repeat
it, so that what is allocated is bounded by what the file holds. The names and arguments are those of
``torch/_utils.py`` and ``torch/serialization.py``.
"""

from collections.abc import Callable
from math import prod
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from pointad.files.pickle_data import LARGEST_PICKLE, Instance, Name, PickleDataError, as_text, read_pickle_data

PLAIN_DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)
MOST_REPEATED = 4  # tensors may share storages, but not claim more than this many times the size of the file

_STORAGES = MappingProxyType(
    {
        "torch.DoubleStorage": torch.float64,
        "torch.FloatStorage": torch.float32,
        "torch.HalfStorage": torch.float16,
        "torch.BFloat16Storage": torch.bfloat16,
        "torch.LongStorage": torch.int64,
        "torch.IntStorage": torch.int32,
        "torch.ShortStorage": torch.int16,
        "torch.CharStorage": torch.int8,
        "torch.ByteStorage": torch.uint8,
        "torch.BoolStorage": torch.bool,
        "torch.UntypedStorage": torch.uint8,
        "torch.storage.UntypedStorage": torch.uint8,
    }
)
_DTYPES = MappingProxyType({str(dtype): dtype for dtype in PLAIN_DTYPES})
_UNSUPPORTED = MappingProxyType(
    {
        "torch._utils._rebuild_qtensor": "quantized tensors",
        "torch._utils._rebuild_meta_tensor_no_storage": "tensors without values (on the meta device)",
        "torch._utils._rebuild_sparse_tensor": "sparse tensors",
        "torch.serialization._get_layout": "sparse tensors",
        "torch._utils._rebuild_nested_tensor": "nested tensors",
        "torch._utils._rebuild_device_tensor_from_numpy": "tensors of an unsupported device",
        "torch._utils._rebuild_wrapper_subclass": "tensors of a subclass",
        "torch._tensor._rebuild_from_type_v2": "tensors of a subclass",
        **dict.fromkeys(
            ("numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"),
            "NumPy values beside its tensors",
        ),
        **dict.fromkeys(
            ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"),
            "NumPy arrays beside its tensors",
        ),
    }
)
# TorchScript's wrapper of a typed list; the list itself is enough.
_TYPED_CONTAINERS = frozenset(
    f"torch.jit._pickle.{name}"
    for name in ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag")
)
_SCRIPT_PREFIX = "__torch__."  # classes defined in a TorchScript archive
_MOST_DIMENSIONS = 16  # torch allows 64, at a kilobyte for each tensor of no values
MOST_TENSORS = 50_000  # ten times those of the largest CLIP with its optimizer, each some 300 bytes beside its values
_MOST_MODULES = 100_000

Storage = Callable[[str, int], Tensor]  # key and expected number of bytes -> (bytes,) uint8


class TensorReader:
    """Reads one torch pickle.

    Args:
        storage: returns the bytes of a storage; called once per key.
        largest: bytes that all tensors together may claim.
        scripted: whether the pickle may hold TorchScript modules, which become an ``Instance``.
    """

    def __init__(self, storage: Storage, largest: int, *, scripted: bool = False) -> None:
        self._storage, self._left, self._scripted = storage, largest, scripted
        self._storages: dict[str, Tensor] = {}
        self._views: dict[tuple[str, torch.dtype], Tensor] = {}  # of storages, as numbers
        self._tensors = 0  # that have been made
        self._told: dict[str, tuple[torch.dtype, int]] = {}  # of each storage, its kind of numbers and their count
        self._calls: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_of,
            "torch._utils._rebuild_parameter": _first,
            "torch._utils._rebuild_parameter_with_state": _first,
            "collections.OrderedDict": _dictionary,
            "torch.Size": _first,
            "_codecs.encode": self._encoded,
        }

    def read(self, stream: Any) -> Any:
        """The pickle's value: tensors, containers, numbers, strings.

        Raises:
            PickleDataError: it is damaged or holds something else.
        """
        try:
            return read_pickle_data(
                stream,
                reduce=self._reduce,
                persistent=self._persistent,
                is_class=lambda name: self._scripted and f"{name.module}.".startswith(_SCRIPT_PREFIX),
            )
        except RuntimeError as error:  # torch rejects a shape
            raise PickleDataError(f"its pickle is damaged: {str(error).splitlines()[0]}") from error

    def _reduce(self, called: Name, arguments: tuple) -> Any:
        name = str(called)
        if name in _UNSUPPORTED:
            raise PickleDataError(f"it holds {_UNSUPPORTED[name]}, which are not supported")
        if name in _TYPED_CONTAINERS and self._scripted:
            return _first(*arguments)
        if name not in self._calls:
            raise PickleDataError(f"it holds {name} beside tensors, and only tensors and plain containers are read")
        return self._calls[name](*arguments)

    def _persistent(self, reference: Any) -> Tensor:
        key, dtype, count = storage_reference(reference)
        # torch takes the first for all, and other readers each for itself. TorchScript's own reader is one of these.
        if not self._scripted and self._told.setdefault(key, (dtype, count)) != (dtype, count):
            raise PickleDataError("it refers to the same values as numbers of several kinds, or as several counts")
        if key not in self._storages:
            self._storages[key] = self._storage(key, count * dtype.itemsize)
        if not self._scripted and len(self._storages[key]) != count * dtype.itemsize:
            raise PickleDataError("it holds more values than it refers to")
        if (key, dtype) not in self._views:  # a storage may be named a million times
            self._views[key, dtype] = _as_numbers(self._storages[key], dtype)
        return self._views[key, dtype]

    def _tensor(
        self, storage: Any, offset: Any, size: Any, stride: Any, _: Any = None, __: Any = None, metadata: Any = None
    ) -> Tensor:
        self._tensors += 1
        if self._tensors > MOST_TENSORS:
            raise PickleDataError(f"it holds more than {MOST_TENSORS} tensors")
        if metadata:
            raise PickleDataError("it holds conjugated or negated views, which are not supported")
        if not isinstance(storage, Tensor) or storage.ndim != 1:
            raise PickleDataError("its pickle is damaged: a tensor without a storage")
        if not (isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)):
            raise PickleDataError("its pickle is damaged: a tensor without a shape")
        if len(size) > _MOST_DIMENSIONS:
            raise PickleDataError(f"it holds a tensor of {len(size)} dimensions, and {_MOST_DIMENSIONS} are the most")
        if not all(map(_is_count, (offset, *size, *stride))):
            raise PickleDataError("its pickle is damaged: a tensor of an impossible shape")
        count = prod(size)
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
        if count > len(storage) or (count and last >= len(storage)):
            raise PickleDataError("it holds a tensor that is larger than its values")
        self._claim(count * storage.element_size())
        return torch.as_strided(storage, size, stride, offset) if count else storage.new_empty(size)

    def _encoded(self, text: str, _: str) -> bytes:
        """Bytes as protocol 2 writes them."""
        self._claim(len(text))
        return text.encode("latin-1")

    def _claim(self, count: int) -> None:
        """Count bytes that a value holds: the same storage, or the same text, may be named any number of times."""
        self._left -= count
        if self._left < 0:
            raise PickleDataError("it holds values that claim far more room than the file has")

    def _tensor_of(
        self, storage: Any, offset: Any, size: Any, stride: Any, _: Any, __: Any, dtype: Any, metadata: Any = None
    ) -> Tensor:
        known = _DTYPES.get(str(dtype)) if isinstance(dtype, Name) else None
        if known is None:
            raise PickleDataError(f"it holds {_named(dtype)} values, which are not supported")
        return self._tensor(_as_numbers(storage, known), offset, size, stride, metadata=metadata)


def _as_numbers(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Bytes as numbers, without those at the end that make no whole one."""
    return values[: len(values) // dtype.itemsize * dtype.itemsize].view(dtype)


def storage_reference(reference: Any) -> tuple[str, torch.dtype, int]:
    """Key, dtype and number of values of ("storage", type, key, device, number, …); the device is ignored.

    Raises:
        PickleDataError: it refers to something else, or to values of an unsupported kind.
    """
    if isinstance(reference, tuple) and reference[:1] == ("module",):
        raise PickleDataError("it holds a whole model with its code; save its state_dict alone")
    kind, storage_type, key, _, count, *view = reference
    if kind != "storage" or not _is_count(count) or any(view):
        raise PickleDataError("its pickle is damaged: an invalid storage")
    dtype = _STORAGES.get(str(storage_type)) if isinstance(storage_type, Name) else None
    if dtype is None:
        raise PickleDataError(f"it holds {_named(storage_type)} values, which are not supported")
    return as_text(key), dtype, count


def script_state(root: Instance) -> dict[str, Tensor]:
    """The tensors of a TorchScript module under the names of its ``state_dict``.

    Raises:
        PickleDataError: modules contain themselves or one another, so that this would not end, or the names, which
            repeat those of all modules around an entry, are too long.
    """
    state: dict[str, Tensor] = {}
    waiting = [("", root)]
    left = LARGEST_PICKLE
    for _ in range(_MOST_MODULES):
        if not waiting:
            return state
        prefix, module = waiting.pop()
        for own_name, value in module.attributes.items():
            name = f"{prefix}{own_name}"
            left -= len(name) + 1
            if left < 0:
                raise PickleDataError(f"its modules have names of more than {LARGEST_PICKLE >> 20} MiB together")
            if isinstance(value, Tensor):
                state[name] = value
            elif isinstance(value, Instance):
                waiting.append((f"{name}.", value))
    raise PickleDataError(f"it holds more than {_MOST_MODULES} modules")


def _named(kind: Any) -> str:
    """A type's name; anything else is not repeated, as the text of containers within containers may be endless."""
    return str(kind) if isinstance(kind, Name) else "unknown"


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _first(value: Any, *_: Any) -> Any:
    return value


def _dictionary() -> dict[Any, Any]:
    """An empty dictionary; the pickle fills it later."""
    return {}
