"""A local web service: drop a scan on the page, or post one, to get its score and an interactive point cloud.

    pip install -r requirements-serve.txt
    python scripts/serve.py                                   # demo weights, http://127.0.0.1:8000
    curl --data-binary @scan.ply 'http://127.0.0.1:8000/predict?name=scan.ply'

    curl -F file=@scan.ply http://127.0.0.1:8000/predict
    curl -F file=@scan.ply -F good=@good/1.ply -F good=@good/2.ply http://127.0.0.1:8000/predict

POST /predict?name=FILE answers with JSON (score, scores of the views, defect regions, timings), POST /view?name=FILE
with the HTML that the page shows. The body is the file; the extension in FILE determines its format. Both also accept
forms with the scan in the field "file" and good scans to compare it with in fields "good". POST /reference accepts
fields "good" only and answers with a name; /predict?name=FILE&reference=NAME compares later scans with these good
scans. /docs describes the interface. GET /health answers once the model is loaded.

One scan is inspected at a time. The service is meant for the machine that it runs on: it listens on loopback, answers
only requests addressed to this machine, accepts no file from other sites, and has no password. See docs/security.md.
"""

import argparse
from pathlib import Path

from pointad.commands.argument_types import positive_float, positive_integer
from pointad.commands.arguments import add_encoding_arguments, add_model_arguments
from pointad.commands.program import HelpFormatter
from pointad.commands.serve_settings import LOOPBACK, ServeSettings

LARGEST_PORT = 65535
LONGEST_LIMIT = 86_400  # seconds
LARGEST_MEMORY = 1_000_000  # gigabytes
LEAST_MEMORY = 0.1  # no scan fits into less, and a thread that gets no memory when it starts is waited for


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (default: the demo prompts)")
    add_model_arguments(parser, demo="without --checkpoint_path")
    add_encoding_arguments(parser, with_cache=False)
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="compare every scan with this reference, made by scripts/reference.py",
    )
    group = parser.add_argument_group("service")
    group.add_argument(
        "--host",
        default=LOOPBACK,
        help="address to listen on; if it is not loopback, anyone who reaches it can use the service",
    )
    group.add_argument("--port", type=port_number, default=8000, help="port to listen on")
    group.add_argument(
        "--largest_upload", type=positive_float, default=200.0, metavar="MB", help="largest accepted upload in MB"
    )
    group.add_argument("--upload_seconds", type=time_limit, default=60.0, help="time limit for an upload in seconds")
    group.add_argument("--predict_seconds", type=time_limit, default=120.0, help="time limit for an answer in seconds")
    group.add_argument(
        "--scan_memory",
        type=memory_limit,
        default=8.0,
        metavar="GB",
        help="memory limit of one scan in GB, without the model (Linux, on a CPU)",
    )
    return parser


def time_limit(text: str) -> float:
    """An ``argparse`` type: seconds, at most a day; alarms and timers take no more than some decades."""
    value = positive_float(text)
    if value > LONGEST_LIMIT:
        raise argparse.ArgumentTypeError(f"{text} is longer than a day ({LONGEST_LIMIT})")
    return value


def memory_limit(text: str) -> float:
    """An ``argparse`` type: gigabytes, at least what the smallest scan takes, at most what a kernel counts."""
    value = positive_float(text, largest=LARGEST_MEMORY)
    if value < LEAST_MEMORY:
        raise argparse.ArgumentTypeError(f"{text} is less than any scan takes ({LEAST_MEMORY:g})")
    return value


def port_number(text: str) -> int:
    """An ``argparse`` type: a port, 1 to 65535."""
    value = positive_integer(text)
    if value > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is larger than {LARGEST_PORT}")
    return value


def main(flags: argparse.Namespace) -> None:
    """Serve as the flags say."""
    from pointad.commands.service.listening import serve  # not before the flags are parsed: it takes a second

    serve(ServeSettings.from_flags(flags))
