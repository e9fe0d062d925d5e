"""Reads a pickle as data: no opcode imports or calls anything; only the caller's functions build objects.

Python's own unpickler calls whatever a file names and lets it set attributes of any object. This one supports the
opcodes used in files of tensors (protocols 2 to 5) and refuses the rest. Source: CPython's ``pickletools``, which
disassembles the stream without executing it.
"""

import io
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, BinaryIO

from pointad.compute.silence import without_warnings

# Every opcode may become a Python object of some hundred bytes; CLIP's weights need less than a hundredth of this.
LARGEST_PICKLE = 8 << 20  # bytes
MOST_INSTRUCTIONS = 1_000_000
DEEPEST_NESTING = 100  # containers in containers
MOST_ARGUMENTS = 32  # of a call, or parts of a reference; torch needs 8, and one tuple may be named a million times
LONGEST_KEY = 10_000  # characters of a key or a foreign name, which is compared or copied at each of a million uses
MOST_NUMBERS = 10_000  # keys that are numbers; an optimizer counts its tensors. All may have the same hash


class PickleDataError(ValueError):
    """The stream is damaged, or holds more than data; the message says which, without a final full stop."""


@dataclass(frozen=True)
class Name:
    """A function or class that a pickle refers to by name; it is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:_LONGEST_NAME]


@dataclass(frozen=True, eq=False, slots=True)
class Instance:
    """An object of a foreign class: the class's name, and its attributes if the pickle holds them."""

    kind: Name
    attributes: dict[str, Any] = field(default_factory=dict)


Reduce = Callable[[Name, tuple], Any]  # the value of a call of that name with these arguments
Persistent = Callable[[Any], Any]  # the value of a reference to something outside the pickle
IsClass = Callable[[Name], bool]  # whether objects of that class become an Instance

_LONGEST_NAME = 100  # characters of a foreign name that an error repeats
_BITS = 64  # of a number that is a key
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = frozenset(
    (
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    )
)
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_TO_MEMO = frozenset(("BINPUT", "LONG_BINPUT", "MEMOIZE"))
_FROM_MEMO = frozenset(("BINGET", "LONG_BINGET"))


def read_pickle_data(stream: BinaryIO | bytes, *, reduce: Reduce, persistent: Persistent, is_class: IsClass) -> Any:
    """The value of one pickle; a stream is left positioned after its end.

    Args:
        stream: the pickle, or a binary file positioned at its beginning.
        reduce: returns the value of a call, given the name of the callable and the arguments; raises to refuse a name.
        persistent: returns the value of a persistent id.
        is_class: whether objects of a class are returned as an :class:`Instance`.

    Raises:
        PickleDataError: the stream is damaged, too long, nested too deeply, contains itself, or holds more than data.
    """
    machine = _Machine(reduce, persistent, is_class)
    start = 0 if isinstance(stream, bytes) else stream.tell()
    # In memory: reading from a file would allocate as many bytes as a damaged length claims.
    source = io.BytesIO(stream if isinstance(stream, bytes) else stream.read(LARGEST_PICKLE + 1))
    try:
        with without_warnings():  # about backslashes in foreign names
            for count, (opcode, argument, position) in enumerate(pickletools.genops(source)):
                if count == MOST_INSTRUCTIONS:
                    raise PickleDataError(f"its pickle has more than {MOST_INSTRUCTIONS} instructions")
                if position is not None and position > LARGEST_PICKLE:
                    raise PickleDataError(f"its pickle is larger than {LARGEST_PICKLE >> 20} MiB")
                machine.step(opcode.name, argument)
    except PickleDataError:
        raise
    except (IndexError, KeyError, TypeError, AttributeError) as error:  # words of Python's about this program
        raise PickleDataError("its pickle is damaged: a value is missing or of another kind") from error
    except (ValueError, OverflowError) as error:
        raise PickleDataError(f"its pickle is damaged: {error}") from error
    if not isinstance(stream, bytes):
        stream.seek(start + source.tell())
    if len(machine.stack) != 1:
        raise PickleDataError("its pickle is damaged: more than one value")
    _check_nesting(machine.stack[0])
    return machine.stack[0]


class _Machine:
    def __init__(self, reduce: Reduce, persistent: Persistent, is_class: IsClass) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._attributes = 0  # that objects were given
        self._numbers = 0  # among the keys
        self._reduce, self._persistent, self._is_class = reduce, persistent, is_class

    def step(self, opcode: str, argument: Any) -> None:  # one branch per opcode
        stack = self.stack
        if opcode in _VALUES:
            stack.append(argument)
        elif opcode in _FROM_MEMO:
            stack.append(self._memo[argument])
        elif opcode in _TO_MEMO:
            self._memo[len(self._memo) if opcode == "MEMOIZE" else argument] = stack[-1]
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode])
        elif opcode in _TUPLES:
            stack.append(tuple(self._take(_TUPLES[opcode])))
        elif opcode == "MARK":
            stack.append(_MARK)
        elif opcode == "TUPLE":
            stack.append(tuple(self._take_to_mark()))
        elif opcode == "EMPTY_DICT":
            stack.append({})
        elif opcode == "EMPTY_LIST":
            stack.append([])
        elif opcode in ("APPEND", "APPENDS"):
            items = self._take(1) if opcode == "APPEND" else self._take_to_mark()
            self._top(list).extend(items)
        elif opcode in ("SETITEM", "SETITEMS"):
            items = self._take(2) if opcode == "SETITEM" else self._take_to_mark()
            self._top(dict).update(zip(map(self._as_key, items[::2]), items[1::2], strict=True))
        elif opcode == "GLOBAL":
            stack.append(Name(*map(as_text, argument.split(" ", 1))))
        elif opcode == "STACK_GLOBAL":
            stack.append(Name(*map(as_text, self._take(2))))
        elif opcode == "BINPERSID":
            stack.append(self._persistent(_few(stack.pop())))
        elif opcode == "REDUCE":
            called, arguments = self._take(2)
            if not isinstance(arguments, tuple):
                raise PickleDataError("its pickle is damaged: a call without arguments")
            stack.append(self._reduce(_as_name(called), _few(arguments)))
        elif opcode == "NEWOBJ":
            kind, _ = self._take(2)
            stack.append(self._new(_as_name(kind)))
        elif opcode == "BUILD":
            self._build(stack.pop())
        elif opcode not in ("PROTO", "FRAME", "STOP"):
            raise PickleDataError(f"its pickle uses {opcode}, which files of tensors do not need")

    def _as_key(self, key: Any) -> Any:
        """Keys are strings and numbers: hashing a tuple of tuples of tuples … overflows the interpreter's stack."""
        if isinstance(key, (str, bytes)):
            if len(key) > LONGEST_KEY:
                raise PickleDataError(f"it holds a dictionary with a key of {len(key)} characters")
        elif isinstance(key, (int, float, NoneType)):
            self._numbers += 1
            if self._numbers > MOST_NUMBERS or (isinstance(key, int) and key.bit_length() > _BITS):
                problem = f"more than {MOST_NUMBERS} numbers as keys, or one of more than {_BITS} bits"
                raise PickleDataError(f"it holds dictionaries with {problem}")
        else:
            raise PickleDataError("it holds a dictionary with keys that are neither strings nor numbers")
        return key

    def _new(self, kind: Name) -> Instance:
        if not self._is_class(kind):
            raise PickleDataError(f"it holds an object of {kind}")
        return Instance(kind)

    def _build(self, state: Any) -> None:
        built = self.stack[-1]
        if isinstance(built, Instance):
            if isinstance(state, dict):
                self._attributes += len(state)  # one table may be given to many objects, each of which copies it
                if self._attributes > MOST_INSTRUCTIONS:
                    raise PickleDataError(f"its pickle sets more than {MOST_INSTRUCTIONS} attributes")
                built.attributes.update(state)
        elif not isinstance(built, dict):  # for a dict, attributes such as an OrderedDict's "_metadata" are ignored
            raise PickleDataError("its pickle sets attributes of something that has none")

    def _top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise PickleDataError(f"its pickle is damaged: no {kind.__name__} to fill")
        return self.stack[-1]

    def _take(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise PickleDataError("its pickle is damaged: too few values")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def _take_to_mark(self) -> list[Any]:
        start = len(self.stack) - 1
        while self.stack[start] is not _MARK:  # raises IndexError if there is none
            start -= 1
        return self._take(len(self.stack) - start)[1:]


def _few(arguments: Any) -> Any:
    if isinstance(arguments, tuple) and len(arguments) > MOST_ARGUMENTS:
        raise PickleDataError(f"its pickle is damaged: {len(arguments)} arguments")
    return arguments


def as_text(value: Any) -> str:
    """A name, or a key that must be one.

    Raises:
        PickleDataError: it is something else, or too long.
    """
    if not isinstance(value, str) or len(value) > LONGEST_KEY:
        problem = "a name that is not a string" if not isinstance(value, str) else f"a name of {len(value)} characters"
        raise PickleDataError(f"its pickle is damaged: {problem}")
    return value


def _as_name(called: Any) -> Name:
    if not isinstance(called, Name):
        raise PickleDataError("its pickle calls something that is not a function")
    return called


def _check_nesting(value: Any) -> None:
    """Refuse containers nested too deeply or within themselves, so that the value can be walked safely.

    Every container is walked once, however many others hold it.
    """
    heights: dict[int, int] = {}  # id of a container -> levels of containers in it, itself included
    path, tallest = [(value, _containers_in(value))], [0]
    while path:
        child = next(path[-1][1], None)
        if child is None:
            finished, _ = path.pop()
            height = heights[id(finished)] = tallest.pop() + 1
        else:
            height = heights.get(id(child), 0)
            if len(path) + max(height, 1) > DEEPEST_NESTING:
                problem = f"it holds containers nested more than {DEEPEST_NESTING} deep, or one that contains itself"
                raise PickleDataError(problem)
            if not height and not _content(child):
                height = 1  # without a note: there may be a million empty ones
            elif not height:
                path.append((child, _containers_in(child)))
                tallest.append(0)
        if tallest:
            tallest[-1] = max(tallest[-1], height)


def _content(value: Any) -> Any:
    return value.attributes if isinstance(value, Instance) else value


def _containers_in(value: Any) -> Iterator[Any]:
    inner = _content(value)
    entries = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, (list, tuple)) else ()
    return (entry for entry in entries if isinstance(entry, (dict, list, tuple, Instance)))
