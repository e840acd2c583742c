"""Choosing a model: the catalogue as one table, and a recommendation for a machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from converseg_ros.network.weights.catalogue import BY_NAME, ENTRIES, Entry

TABLE_HEAD = (
    'name', 'used as', 'least hardware', 'download', 'licence', 'commercial use', 'latency of a view',
    'real weights run here', 'good for',
)  # fmt: skip
USED_AS = {
    'network': '`--model`',
    'namer': '`--namer`',
    'segments': '`--segments`',
    'detector': 'detector of kind grounded',
    'concepts': 'weights of kind sam3',
}
RESEARCH, NAMER, LARGE_NAMER = 'converseg-net-3b', 'siglip2-base', 'siglip2-so400m'


def cells(entry: Entry) -> tuple[str, ...]:
    """Return the table row of a model, in the order of TABLE_HEAD."""
    size = 'in the package' if not entry.download_mb else f'{entry.download_mb / 1000:.1f} GB'
    return (
        f'`{entry.name}`',
        USED_AS[entry.role],
        entry.hardware,
        size if entry.download_mb >= 950 or not entry.download_mb else f'{entry.download_mb} MB',
        entry.licence,
        entry.commercial_use,
        entry.latency,
        'yes' if entry.ran else 'never',
        entry.good_for,
    )


def markdown(entries: Iterable[Entry] = ENTRIES) -> str:
    """Return the table in Markdown, for docs/models.md."""
    rows = [TABLE_HEAD, ('---',) * len(TABLE_HEAD), *map(cells, entries)]
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def plain(entries: Iterable[Entry] = ENTRIES, fetched: Sequence[str] = ()) -> str:
    """Return the table for a terminal: two lines per model; those in `fetched` are marked with +."""
    out = []
    for entry in entries:
        name, used, hardware, size, licence, commercial, latency, ran, good = (
            c.replace('`', '').replace('*', '') for c in cells(entry)
        )
        mark = '+' if entry.name in fetched else ' '
        out.append(f'{mark} {name:18} {used:26} {hardware:20} {size:15} {good}')
        weights = 'real weights run here' if ran == 'yes' else 'real weights never run here'
        out.append(f'{"":20} licence: {licence}; commercial use: {commercial}; latency: {latency}; {weights}')
    return '\n'.join(out)


@dataclass(frozen=True, slots=True)
class Machine:
    """The properties of a machine: memory of the best GPU in GB, 0 without one that torch can use."""

    gpu_gb: float = 0.0


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model for a machine: its command-line options, the reason, and the parts to fetch."""

    options: str
    reason: str
    fetch: tuple[str, ...] = ()


def recommend(machine: Machine) -> tuple[Recommendation, ...]:
    """Return recommendations for a machine, the first choice first; the last one needs no download.

    Only the accuracy of compact was measured; for the others, requirements and published results are known.
    """
    compact = Recommendation('--model compact', 'measured; nothing to download')
    if not machine.gpu_gb:
        return (compact,)  # other namers and segments run on a CPU, but take seconds per view
    namer = LARGE_NAMER if machine.gpu_gb >= BY_NAME[LARGE_NAMER].gpu_gb else NAMER
    better = Recommendation(
        f'--model compact --namer {namer}',
        f'open-vocabulary names ({BY_NAME[namer].licence}, commercial use: yes); its answers were not measured here',
        (namer,),
    )
    if machine.gpu_gb < BY_NAME[RESEARCH].gpu_gb:
        return better, compact
    research = Recommendation(
        f'--model {RESEARCH}',
        'published as the best of these (gIoU 70.5 on its benchmark), not run here; not for commercial use',
        (RESEARCH,),
    )
    return better, research, compact
