"""A picture of the summary: the cost of each call as a ratio to its peer, light and dark."""

from collections.abc import Sequence
from html import escape
from math import log10
from typing import Final

from benchmarks.peers import OFFICIAL
from benchmarks.table import Verdict, number

_LOW: Final = 0.1
_HIGH: Final = 100.0
_LEFT: Final = 400
_WIDTH: Final = 500
_TOP: Final = 84
_STEP: Final = 30
_TICKS: Final = {0.1: "0.1x", 0.3: "0.3x", 1: "the peer", 3: "3x", 10: "10x", 30: "30x", 100: "100x"}
_DOTS: Final = dict(zip(OFFICIAL, ("official", "official later"), strict=True))
_STYLE: Final = """
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; } .faint { fill: #59636e; font-size: 12px; } .right { text-anchor: end; }
.middle { text-anchor: middle; } .grid { stroke: #d1d9e0; } .one { stroke: #59636e; }
.limit { stroke: #59636e; stroke-width: 2; }
.met { fill: #1a7f37; } .missed { fill: #cf222e; } .official { fill: #bc4c00; stroke: #bc4c00; stroke-width: 2; }
.later { fill: none; }
.bar { fill-opacity: .22; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .faint { fill: #9198a1; } .grid { stroke: #3d444d; } .one, .limit { stroke: #9198a1; }
  .met { fill: #3fb950; } .missed { fill: #f85149; } .official { fill: #f0883e; stroke: #f0883e; }
  .later { fill: none; }
}
"""


def drawn(found: Sequence[Verdict], machine: str) -> str:
    """Draw the results, the targets, and the official SDK where it takes part; figures below the ratios."""
    ratios = [one for one in found if one.target.of == "ratio"]
    figures = [one for one in found if one.target.of == "figure"]
    bottom = _TOP + _STEP * len(ratios) + 4
    height = bottom + 22 * len(figures) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" width="960" height="{height}" role="img">',
        f"<title>Cost beside the peer of each call</title><style>{_STYLE}</style>",
        '<text class="title" x="16" y="26">Cost beside the peer: less is better</text>',
        f'<text class="faint" x="16" y="46">{escape(machine)}; medians of paired rounds</text>',
        *_key(),
        *_scale(bottom),
        *(part for row, one in enumerate(ratios) for part in _line(one, _TOP + _STEP * row + _STEP // 2)),
        *(part for row, one in enumerate(figures) for part in _figure(one, bottom + 22 * row + 24)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _key() -> list[str]:
    return [
        '<circle class="met" cx="476" cy="22" r="6"/><text class="faint" x="488" y="26">comfydeploy</text>',
        *(
            f'<circle class="{dot}" cx="{x}" cy="22" r="4"/>'
            f'<text class="faint" x="{x + 12}" y="26">official SDK {version}</text>'
            for (version, dot), x in zip(_DOTS.items(), (576, 696), strict=True)
        ),
        '<path class="limit" d="M816 14v16"/><text class="faint" x="824" y="26">target</text>',
    ]


def _scale(bottom: float) -> list[str]:
    return [
        f'<path class="{"one" if tick == 1 else "grid"}" d="M{_x(tick):.1f} {_TOP - 4}V{bottom}"/>'
        f'<text class="faint middle" x="{_x(tick):.1f}" y="{_TOP - 12}">{name}</text>'
        for tick, name in _TICKS.items()
    ]


def _line(one: Verdict, y: float) -> list[str]:
    # Where more is better, such as calls per second, the cost is the inverse of the ratio.
    turned = one.target.at_least is not None
    limit = one.target.at_least if turned else one.target.at_most
    assert limit is not None
    ours, goal = (1 / one.reached, 1 / limit) if turned else (one.reached, limit)
    state = "met" if one.is_met else "missed"
    left, right = sorted((_x(ours), _x(1)))
    parts = [
        f'<text x="16" y="{y + 4}">{escape(one.target.what)}</text>',
        f'<text class="right" x="{_LEFT - 8}" y="{y + 4}">{number(one.reached)}</text>',
        f'<rect class="bar {state}" x="{left:.1f}" y="{y - 7}" width="{right - left:.1f}" height="14"/>',
        f'<path class="limit" d="M{_x(goal):.1f} {y - 9}v18"/>',
        f'<circle class="{state}" cx="{_x(ours):.1f}" cy="{y}" r="6"/>',
    ]
    for version, ratio in one.official.items():
        theirs = 1 / ratio if turned else ratio
        x = _x(theirs)
        parts.append(f'<circle class="{_DOTS[version]}" cx="{x:.1f}" cy="{y}" r="4"/>')
        if theirs > _HIGH:
            parts.append(f'<text class="faint right" x="{x - 10:.1f}" y="{y + 4}">{theirs:,.0f}x</text>')
    return parts


def _figure(one: Verdict, y: float) -> list[str]:
    state = "met" if one.is_met else "missed"
    return [
        f'<text x="16" y="{y}">{escape(one.target.what)}</text>',
        f'<text class="right" x="{_LEFT - 8}" y="{y}">{number(one.reached)}</text>',
        f'<circle class="{state}" cx="{_LEFT + 16}" cy="{y - 4}" r="6"/>',
        f'<text class="faint" x="{_LEFT + 30}" y="{y}">target {escape(one.target.limit)}</text>',
    ]


def _x(ratio: float) -> float:
    inside = min(max(ratio, _LOW), _HIGH)
    return _LEFT + 16 + _WIDTH * (log10(inside) - log10(_LOW)) / (log10(_HIGH) - log10(_LOW))
