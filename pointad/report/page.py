"""Self-contained HTML pages: one per run, and an index with all tables and links to them."""

import importlib.resources
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pointad.evaluation.results import backbone_title, describe_run, metric_title
from pointad.evaluation.sample_outputs import is_unfinished
from pointad.files.atomic import write_text
from pointad.files.escaping import for_html
from pointad.files.names import file_name
from pointad.files.presence import is_folder
from pointad.report.belongings import belongings, with_own_outputs
from pointad.report.formats import DEVIATION_NOTE, HEADINGS, TEXT_COLUMNS, note_texts, row_texts
from pointad.report.leak_section import leak_section
from pointad.report.methods import method_name
from pointad.report.old_pages import FOOTER, remove_pages
from pointad.report.protocol_tables import (
    PROTOCOL_TITLES,
    ProtocolTable,
    TableRow,
    protocol_tables,
    run_protocol,
)
from pointad.report.runs import Run, dataset_title, read_curves, read_losses, read_scores
from pointad.report.samples import best_anomalous, files_of, judge, worst
from pointad.report.sections import (
    cloud_section,
    curve_section,
    histogram_section,
    loss_section,
    result_section,
    sample_section,
)
from pointad.visualization.cloud_viewer import cloud_assets

logger = logging.getLogger(__name__)

SAMPLES_SHOWN = 3  # best and worst, each
CLOUDS_SHOWN = 4

_DEMO_WARNING = (
    "These figures come from the demo backbone, a small stand-in for CLIP. They show that everything works, but say "
    "nothing about the quality of the method and must not be compared with published figures."
)


def write_pages(
    runs: Sequence[Run], folder: str | Path, modalities: Sequence[str] = ("point", "fused"), roots: Sequence[Path] = ()
) -> Path:
    """Write one page per run and `index.html` with the protocol tables.

    Args:
        runs: the runs to report.
        folder: where to write the pages.
        modalities: of the protocol tables.
        roots: folders, besides the working folder, that relative checkpoint and data paths of the runs may start from.

    Pages of an earlier report in the folder, to which its `index.html` links, are removed unless written again.

    Returns:
        the path of `index.html`.

    Raises:
        InputError: a file of a run cannot be read, or a page cannot be written or removed.
    """
    folder = Path(folder)
    names = _page_names(runs)
    for run, name in zip(runs, names, strict=True):
        write_text(folder / name, run_page(run, roots))
    index = folder / "index.html"
    remove_pages(folder, except_for=names)  # first: the next report would not find them by the new index
    write_text(index, index_page(runs, names, protocol_tables(runs, modalities)))
    return index


def page_files(runs: Sequence[Run], folder: str | Path) -> list[Path]:
    """The files that `write_pages` writes."""
    return [Path(folder) / name for name in (*_page_names(runs), "index.html")]


def run_page(run: Run, roots: Sequence[Path] = ()) -> str:
    """The page of one run; sections without data are omitted."""
    own, modalities = belongings(run), run.results.modalities
    scores = read_scores(run) if own.scores else []
    main_modality = next((m for m in ("fused", "point", *modalities) if m in modalities), "point")
    judged = judge(scores, main_modality)
    best, wrong = best_anomalous(judged, SAMPLES_SHOWN), worst(judged, SAMPLES_SHOWN)
    data_path = _data_path(run, roots)
    sections = [
        ("results", "Results", result_section(run.results)),
        *(
            (f"group-{number}", f"Results, {for_html(name)} only", result_section(run.results.of_group(name)))
            for number, name in enumerate(run.results.groups)
        ),
        ("curves", "Curves", curve_section(read_curves(run) if own.curves else {}, modalities)),
        ("scores", "Scores", histogram_section(scores, main_modality)),
        ("leaks", "Label leaks", leak_section(run.results)),
        ("training", "Training losses", loss_section(read_losses(run, roots))),
    ]
    if is_unfinished(run.folder):
        logger.warning("%s: a later test there has not ended; its maps and pictures are not shown", run.folder)
    else:
        own_outputs = with_own_outputs(run, [*best, *wrong])
        best, wrong = own_outputs[: len(best)], own_outputs[len(best) :]
        shown = (("Detected most clearly", best), ("Furthest on the wrong side", wrong))
        clouds = [*best, *(one for one in wrong if one.sample.label)][:CLOUDS_SHOWN]
        scans = {one.sample.name: files_of(run, one.sample, data_path) for one in [*best, *wrong]}
        sections += [
            ("samples", "Best and worst samples", sample_section(run, shown, scans)),
            ("clouds", "Interactive point clouds", cloud_section(run, clouds, scans)),
        ]
    present = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{key}">{title}</a></li>' for key, title, _ in present)
    facts = {
        "Method": method_name(run.record),
        **describe_run(run.record),
        "Protocol in full": run.results.protocol.text,
    }
    body = [
        f"<h1>{for_html(_run_title(run))}</h1>",
        f'<p class="warning">{_DEMO_WARNING}</p>' if run.record.is_demo else "",
        _facts(facts),
        f'<nav aria-label="Sections"><ul>{links}</ul></nav><main id="main">',
        *(f'<section id="{key}"><h2>{title}</h2>{content}</section>' for key, title, content in present),
        "</main>",
    ]
    has_clouds = any(key == "clouds" for key, _, _ in present)
    return _document(_run_title(run), "\n".join(body), cloud_assets() if has_clouds else "")


def index_page(runs: Sequence[Run], page_names: Sequence[str], tables: Sequence[ProtocolTable]) -> str:
    """The page with the protocol tables and links to the pages of the runs."""
    items = "".join(
        f'<li><a href="{for_html(quote(name))}">{for_html(_run_title(run))}</a></li>'
        for run, name in zip(runs, page_names, strict=True)
    )
    warning = f'<p class="warning">{_DEMO_WARNING}</p>' if any(run.record.is_demo for run in runs) else ""
    body = [
        "<h1>PointAD: results</h1>",
        f'<p class="lead">{DEVIATION_NOTE}</p>{warning}<main id="main">',
        *(_protocol_table(table) for table in tables),
        f'<section id="runs"><h2>Runs</h2><ul>{items}</ul></section></main>',
    ]
    return _document("PointAD: results", "\n".join(body))


def _document(title: str, body: str, head: str = "") -> str:
    style = (importlib.resources.files("pointad.visualization") / "assets" / "report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'  # otherwise browsers request one from the server
        f"<title>{for_html(title)}</title>\n{head}\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">Skip to content</a>\n{body}\n'
        f"{FOOTER}\n"
        "</body>\n</html>\n"
    )


def _facts(facts: dict[str, str]) -> str:
    items = "".join(f"<dt>{for_html(name)}</dt><dd>{for_html(text)}</dd>" for name, text in facts.items())
    return f'<dl class="facts">{items}</dl>'


def _protocol_table(table: ProtocolTable) -> str:
    headings = "".join(
        f'<th scope="col"{" class=text" if name != "Runs" else ""}>{name}</th>' for name in HEADINGS
    ) + "".join(f'<th scope="col">{for_html(metric_title(name))}</th>' for name in table.metrics)
    rows = "".join(_protocol_row(table, row) for row in table.rows)
    notes = "".join(f'<p class="note">{for_html(note)}</p>' for note in note_texts(table))
    title = for_html(table.title)
    return (
        f"<section><h2>{title}</h2>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table></div>{notes}</section>"
    )


def _protocol_row(table: ProtocolTable, row: TableRow) -> str:
    texts = [for_html(text) for text in row_texts(table, row)]
    cells = [f'<th scope="row">{texts[0]}</th>', *(f'<td class="text">{text}</td>' for text in texts[1:TEXT_COLUMNS])]
    cells += [f"<td>{text}</td>" for text in texts[TEXT_COLUMNS:]]
    return f"<tr{' class=published' if row.is_published else ''}>{''.join(cells)}</tr>"


def _run_title(run: Run) -> str:
    record = run.record
    protocol = run_protocol(run)
    parts = [
        f"{method_name(record)} on {dataset_title(run)}",
        run.results.protocol.supervision if not record.shots else None,  # else the method says so
        PROTOCOL_TITLES.get(protocol, protocol).lower() if protocol else None,
        f"trained on {record.training_class}" if record.training_class else None,
        f"seed {record.seed}" if record.seed is not None else None,
    ]
    backbone = "demo backbone" if record.is_demo else backbone_title(record)
    return ", ".join(part for part in parts if part) + (f" ({backbone})" if backbone else "")


def _page_names(runs: Sequence[Run]) -> list[str]:
    """File names made from the titles, distinct from each other and from `index.html`."""
    names: dict[str, None] = {"index.html": None}
    numbers: dict[str, int] = {}  # the next one to try: of a thousand equal titles, each would try all before
    for run in runs:
        stem = file_name(re.sub(r"[^a-z0-9]+", "-", _run_title(run).lower()).strip("-") or "run")
        name = f"{stem}.html"
        while name in names:
            number = numbers[stem] = numbers.get(stem, 1) + 1
            name = f"{stem}-{number}.html"
        names[name] = None
    return list(names)[1:]


def _data_path(run: Run, roots: Sequence[Path]) -> Path | None:
    """The data set's folder, if the run names one that exists."""
    named = run.record.data_path
    if not named:
        return None
    return next((root / named for root in (Path(), *roots) if is_folder(root / named)), None)
