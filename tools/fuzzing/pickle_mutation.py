"""Changes a pickle opcode by opcode, so that what comes out is a stream of opcodes again."""

import pickletools
import random

_PIECES = (
    *(b"(", b")", b"]", b"}", b"N", b"\x88", b"0", b"1", b"2", b"t", b"u", b"e", b"a", b"s", b"R", b"Q", b"b", b"\x81"),
    *(b"\x85", b"\x86", b"\x87", b"q\x00", b"h\x00", b"h\x01", b"\x94", b"K\x00", b"K\xff", b"M\xff\xff"),
    *(b"J\xff\xff\xff\xff", b"\x8a\x0a" + b"\xff" * 9 + b"\x7f", b"G" + b"\x7f\xf8" + b"\0" * 6, b"\x8c\x01a"),
    *(b"\x8c\x07storage", b"\x8c\x010", b"\x8c\x03cpu", b"\x8c\x06module", b"C\x01a", b"\x93"),
    *(b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_tensor_v3\n", b"ctorch\nFloatStorage\n"),
    *(b"ctorch._utils\n_rebuild_parameter\n", b"ccollections\nOrderedDict\n", b"c_codecs\nencode\n"),
    *(b"ctorch\nSize\n", b"ctorch.storage\nUntypedStorage\n", b"ctorch\nfloat32\n", b"c__torch__.a\nB\n"),
    *(b"ctorch.jit._pickle\nbuild_intlist\n", b"cposix\nsystem\n"),
)


def mutated_pickle(content: bytes, seed: int) -> bytes | None:
    """The same with a few opcodes removed, repeated, moved, replaced or added; None if it is not a pickle."""
    try:
        starts = [position for _, _, position in pickletools.genops(content) if position is not None]
    except Exception:  # whatever it raises on damaged bytes
        return None
    pieces = [content[start:end] for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]
    dice = random.Random(seed)
    for _ in range(dice.choice((1, 1, 2, 4))):
        place = dice.randrange(len(pieces))
        deed = dice.randrange(4)
        if deed == 0 and len(pieces) > 1:
            del pieces[place]
        elif deed == 1:
            pieces[place:place] = pieces[dice.randrange(len(pieces)) :][: dice.randrange(1, 12)]
        elif deed == 2:
            pieces[place] = dice.choice(_PIECES)
        else:
            pieces.insert(place, dice.choice(_PIECES))
    return b"".join(pieces)
