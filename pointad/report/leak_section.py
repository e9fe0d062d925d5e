"""The section of a run's page on label leaks: how well trivial statistics predict the labels."""

from pointad.evaluation.label_leaks import STATISTIC_TITLES, leak_note, suspicious
from pointad.evaluation.results import Results, percent
from pointad.files.escaping import for_html


def leak_section(results: Results) -> str:
    """A sentence and a table, classes down and statistics across; empty for runs that did not check for leaks."""
    findings = results.label_leaks
    if not findings:
        return ""
    names = [name for name in STATISTIC_TITLES if any(name in statistics for statistics in findings.values())]
    leaks = suspicious(findings)
    headings = "".join(f'<th scope="col">{STATISTIC_TITLES[name]}</th>' for name in names)
    rows = []
    for class_name, statistics in findings.items():
        cells = "".join(_cell(statistics.get(name), marked=name in leaks.get(class_name, {})) for name in names)
        rows.append(f'<tr><th scope="row">{for_html(class_name)}</th>{cells}</tr>')
    return (
        f"<p{' class=warning' if leaks else ''}>{for_html(leak_note(findings))}</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Trivial statistics per class"><table>'
        "<caption>AUROC of statistics unrelated to defects, per cent; 50 is uninformative</caption>"
        f'<thead><tr><th scope="col">class</th>{headings}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cell(value: float | None, *, marked: bool) -> str:
    text = percent(value)
    return f"<td><strong>{text}</strong></td>" if marked else f"<td>{text}</td>"
