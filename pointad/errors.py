"""The errors that PointAD raises itself: each is one line that names what is wrong and what to do about it."""

from pathlib import Path


class PointADError(Exception):
    """Base of all errors of this library; its text is a single line meant for the person at the keyboard."""


class InputError(PointADError):
    """A file, folder or argument that the person can mend.

    Args:
        subject: the file, folder, flag or value that is wrong.
        problem: what is wrong with it, without a final full stop.
        remedy: what to do about it, without a final full stop.
    """

    def __init__(self, subject: str | Path, problem: str, remedy: str) -> None:
        self.subject = str(subject)
        self.problem = problem
        self.remedy = remedy
        super().__init__(" ".join(f"{subject}: {problem}; {remedy}".split()))

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        # Loader workers send their errors to the main process by pickling them.
        return type(self), (self.subject, self.problem, self.remedy)
