"""What raw and rendered samples have in common."""

from typing import Protocol


class SampleSource(Protocol):
    """Identifies one scan; further fields are specific to its reader."""

    @property
    def class_name(self) -> str: ...
    @property
    def species(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def label(self) -> int: ...
