"""How the page looks: one column, from a phone's width to a laptop's, light and dark."""

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1d2127; --faint: #5b6470; --line: #d9dee5;
  --card: #f5f7fa; --accent: #3a5fcd; --ours: #4477aa; --others: #8d97a5; --bad: #b3261e; --badground: #fdecea;
  --paused: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171c; --text: #e4e7ec; --faint: #a3acb9; --line: #333a45;
  --card: #1d222a; --accent: #9db4ff; --ours: #6fa8dc; --others: #77818f; --bad: #ff9d94; --badground: #3a1d1b;
  --paused: #f0c06a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 84rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
h3 { font-size: .8rem; margin: 0 0 .2rem; color: var(--faint); font-weight: 600; }
p { margin: .2rem 0; } a { color: var(--accent); } .faint { color: var(--faint); font-size: .87rem; }
ul { list-style: none; margin: 0; padding: 0; }
ul ul { padding-left: 1.1rem; } ul ul ul ul ul ul ul ul ul ul { padding-left: 0; }
.timeline { border: 1px solid var(--line); border-radius: 8px; padding: .3rem .5rem; margin-bottom: .7rem; }
summary { display: grid; grid-template-columns: minmax(0, 1fr) min(36vw, 32rem) 14.5rem; gap: 0 .8rem;
  align-items: center; padding: .15rem .2rem; border-radius: 5px; cursor: pointer; }
summary:hover { background: var(--card); }
summary:focus-visible, a:focus-visible, pre:focus-visible, .wide:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 1px; }
.title { display: flex; flex-wrap: wrap; gap: 0 .5rem; align-items: baseline; min-width: 0; position: relative;
  padding-left: 1.1rem; }
.title::before { content: "\\25b8"; color: var(--faint); position: absolute; left: 0; } details[open] > summary .title::before { content: "\\25be"; }
summary::-webkit-details-marker { display: none; } summary { list-style: none; }
.name { unicode-bidi: isolate; min-width: 0; } .ours .name { font-weight: 600; }
.kind { color: var(--faint); font-size: .8rem; }
.state { font-size: .78rem; font-weight: 600; border: 1px solid; border-radius: 9px; padding: 0 .45rem;
  color: var(--paused); }
.state.failed { color: var(--bad); background: var(--badground); }
.track { position: relative; height: .7rem; background: var(--card); border-radius: 3px; }
.bar { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: 3px; background: var(--others); }
.ours .bar { background: var(--ours); } .failed .bar { background: var(--bad); } .running .bar { opacity: .5; }
.numbers { text-align: right; font-size: .82rem; color: var(--faint); font-variant-numeric: tabular-nums; }
.tokens::after { content: " \\00b7  "; white-space: pre; }
.body { border-left: 3px solid var(--line); margin: .2rem 0 .7rem .3rem; padding: .1rem 0 .1rem .8rem; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .6rem 1rem;
  margin: .3rem 0; }
.sides > div { min-width: 0; }
pre { margin: 0; padding: .5rem .7rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  font: 12.5px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext;
  max-height: 26rem; overflow: auto; }
pre.problem { border-color: var(--bad); background: var(--badground); }
.problems { border: 1px solid var(--bad); border-radius: 8px; padding: .5rem .8rem; background: var(--badground); }
.problems li { margin: .25rem 0; } .problems .what { color: var(--bad); white-space: pre-line; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); gap: .7rem; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; min-width: 0; }
.card .bad { color: var(--bad); }
.wide { overflow-x: auto; margin: .3rem 0; } .wide table { overflow-wrap: normal; }
.facts { margin: .3rem 0; font-size: .82rem; color: var(--faint); }
.facts span { display: inline-block; margin-right: 1rem; }
.more > summary { display: list-item; list-style: disclosure-closed inside; color: var(--accent);
  width: fit-content; font-size: .87rem; }
.more[open] > summary { list-style-type: disclosure-open; } .more { margin: .3rem 0; }
@media (max-width: 46rem) {
  body { padding: .7rem; } ul ul { padding-left: .6rem; } .timeline { padding: .2rem; }
  summary { grid-template-columns: minmax(0, 1fr) auto; }
  .tokens { display: block; } .tokens::after { content: none; }
  .track { grid-row: 2; grid-column: 1 / -1; width: 60vw; justify-self: end; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { details > .body { display: block; } pre { max-height: none; } }
"""
