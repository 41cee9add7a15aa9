"""The page's style sheet: light, dark and on paper."""

from crmn_legacy.report.charts import COLOURS

# Text, and every line of a chart, stands out from the ground by at least 4.5 to 1.
LIGHT = {
    "ground": "#ffffff",
    "panel": "#f6f6f3",
    "ink": "#1b1b1b",
    "soft": "#565656",
    "rule": "#d9d9d4",
    "grid": "#e7e7e2",
    "good": "#1b6b3f",
    "warn": "#8a5200",
    "bad": "#a11d1d",
    "lines": ("#1d5fa6", "#b1470a", "#1b7346", "#7a3e9d", "#7a5c00", "#006d7a", "#a3246d", "#555555"),
}
DARK = {
    "ground": "#15171a",
    "panel": "#1e2125",
    "ink": "#e9e7e3",
    "soft": "#aeb2b8",
    "rule": "#3b4047",
    "grid": "#2a2e33",
    "good": "#7fd3a2",
    "warn": "#e8b864",
    "bad": "#ff9a94",
    "lines": ("#82b6f2", "#f2a66c", "#77d1a0", "#caa5ea", "#dfc063", "#62cbd6", "#f192c3", "#b9b9b9"),
}


def _variables(theme):
    named = {name: value for name, value in theme.items() if name != "lines"}
    named |= {f"line{number}": value for number, value in enumerate(theme["lines"])}
    return "".join(f"--{name}:{value};" for name, value in named.items())


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;padding:2.2rem 1.4rem 4rem;max-width:70rem;background:var(--ground);color:var(--ink);
font:16px/1.5 "Source Serif 4","Iowan Old Style","Palatino Linotype",Palatino,Georgia,"DejaVu Serif",serif;
overflow-wrap:anywhere}
h1{font-size:1.75rem;line-height:1.2;font-weight:600;margin:0 0 .3rem}
h2{font-size:1.3rem;line-height:1.3;font-weight:600;margin:3rem 0 .5rem;padding-top:.8rem;
border-top:2px solid var(--ink)}
h3{font-size:1.03rem;font-weight:600;margin:2rem 0 .5rem}
p{margin:.4rem 0;max-width:52rem}
a{color:inherit;text-underline-offset:.15em}
.soft,caption,.tick,.name,footer{color:var(--soft)}
.verdict{border-left:4px solid;padding:.45rem .9rem;margin:.9rem 0;background:var(--panel)}
.verdict p,.verdict ul{margin:.15rem 0}
.whole{border-color:var(--good)}.unfinished{border-color:var(--warn)}.altered{border-color:var(--bad);border-left-width:10px}
.whole strong,td .whole{color:var(--good)}.unfinished strong,td .unfinished{color:var(--warn)}
.altered strong,td .altered{color:var(--bad);font-weight:700}
.wide{overflow-x:auto;margin:.6rem 0 1.2rem}
table{border-collapse:collapse;min-width:min(100%,36rem);font-size:.92rem;font-variant-numeric:tabular-nums lining-nums;
border-top:1.5px solid var(--ink);border-bottom:1.5px solid var(--ink)}
caption{text-align:left;font-size:.9rem;padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.28rem 1.3rem .28rem 0;font-weight:400}
thead th{border-bottom:.75px solid var(--ink);vertical-align:bottom;font-weight:600}
.numbers td,.numbers thead th:not(:first-child){text-align:right;white-space:nowrap}
.numbers td.words,.numbers thead th.words{text-align:left}
.facts th{color:var(--soft);white-space:nowrap}
.numbers th:first-child{min-width:6.8rem}
.held{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 2rem)}
.facts,.chain{width:100%}.facts{table-layout:fixed}.facts thead th:first-child{width:11rem}
.chain td,.chain th{white-space:nowrap}
code{font:.86em/1.45 "DejaVu Sans Mono",Menlo,Consolas,monospace}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));
gap:1.6rem 2.2rem;margin:1rem 0 1.5rem}
figure{margin:0;min-width:0;break-inside:avoid}
figure>svg{display:block;width:100%;height:auto;max-width:36rem}
figcaption{font-size:.92rem;margin-bottom:.35rem}
.legend{list-style:none;margin:.1rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:0 1.1rem;color:var(--soft)}
.swatch{width:26px;height:12px;margin-right:.4rem;vertical-align:-1px}
svg text{font-family:inherit;font-size:13px;fill:currentColor;font-variant-numeric:tabular-nums lining-nums}
.middle{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:var(--grid);stroke-width:1}
.axis{stroke:var(--soft);stroke-width:1}
.mark{stroke:var(--soft);stroke-width:.8;stroke-dasharray:1.5 3}
.line{fill:none;stroke:var(--c);stroke-width:1.7;stroke-linejoin:round;stroke-linecap:butt}
.line.faint{stroke-width:.8;opacity:.55}
.dot{fill:var(--c)}.ring{fill:none;stroke:var(--c);stroke-width:1.4}.band{fill:var(--c);opacity:.17}
details{margin:.8rem 0}summary{cursor:pointer}
ul.plain{padding-left:1.2rem;margin:.3rem 0}
footer{margin-top:3rem;padding-top:.7rem;border-top:1px solid var(--rule);font-size:.88rem}
@media(max-width:40rem){body{padding:1.2rem .9rem 3rem;font-size:15px}h1{font-size:1.4rem}svg text{font-size:15px}
th,td{padding-right:.8rem}.facts thead th:first-child{width:6.4rem}.facts th{white-space:normal}.facts td{min-width:0}}
@media print{body{max-width:none;padding:0;font-size:10pt}.wide{overflow:visible}section{break-inside:auto}
h2,h3{break-after:avoid}tr{break-inside:avoid}details::details-content{content-visibility:visible;block-size:auto}
.chain{font-size:7pt}@page{margin:18mm 15mm}}
"""


def sheet():
    """The style sheet (str); it names nothing outside the page."""
    colours = "".join(f".c{number}{{--c:var(--line{number})}}" for number in range(COLOURS))
    light, dark = _variables(LIGHT), _variables(DARK)
    schemes = (
        f":root{{color-scheme:light dark;{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )
    return schemes + colours + _RULES.replace("\n", "")
