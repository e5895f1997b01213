"""The style and the script of the contact sheet. The page has their digests, so that no other script runs in it."""

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--line:#d0d7de;--soft:#59636e;--box:#f6f8fa;--page:#fff;--ink:#1f2328}
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#9198a1;--box:#161b22;--page:#0d1117;--ink:#e6edf3}}
*{box-sizing:border-box}
body{margin:0;font:14px/1.45 system-ui,sans-serif;background:var(--page);color:var(--ink)}
header{position:sticky;top:0;z-index:1;background:var(--page);border-bottom:1px solid var(--line);padding:.7rem 1rem}
h1{font-size:1.15rem;margin:0}
header p{margin:.1rem 0 .5rem;color:var(--soft)}
form{display:flex;flex-wrap:wrap;gap:.5rem .9rem;align-items:center}
fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem .8rem}
label{display:inline-flex;align-items:center;gap:.35rem;max-width:100%}
select,input[type=search],button{font:inherit;color:inherit;background:var(--box);border:1px solid var(--line);
border-radius:6px;padding:.25rem .5rem;min-width:0;max-width:14rem}
input[type=search]{flex:1 1 12rem;max-width:24rem}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:.8rem;padding:1rem}
article{border:1px solid var(--line);border-radius:8px;overflow:hidden;background:var(--box);
content-visibility:auto;contain-intrinsic-size:auto 22rem}
article[hidden]{display:none}
article>:not(.files){margin:.4rem .7rem}
.files{display:grid;gap:2px;background:var(--page)}
.files a,.files video{display:block;background:var(--page);min-width:0}
.files img,.files video{display:block;width:100%;aspect-ratio:1;object-fit:contain}
.files audio{width:100%}
.files:has(a:nth-child(2)){grid-template-columns:1fr 1fr}
.files .other{padding:.4rem .7rem;overflow-wrap:anywhere}
.files.none{display:none}
h2{font:600 .85rem ui-monospace,monospace;overflow-wrap:anywhere}
.status{display:inline-block;border-radius:9em;padding:0 .6em;font-size:.8rem;color:#fff;background:#59636e}
.cd-good{background:#1a7f37}.cd-bad{background:#c4314b}.cd-busy{background:#0969da}
.reason{border-left:3px solid #c4314b;padding-left:.5rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(3rem,max-content) 1fr;gap:0 .6rem}
dt,.run{color:var(--soft);overflow-wrap:anywhere}
dd{margin:0;overflow-wrap:anywhere;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:5;overflow:hidden}
.run{font-size:.75rem}
.run code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
#none{padding:2rem 1rem;color:var(--soft)}
@media(max-width:600px){header{position:static}main{grid-template-columns:1fr 1fr;gap:.5rem;padding:.5rem}
article>:not(.files){margin:.3rem .45rem}dl{grid-template-columns:1fr}dt{font-size:.75rem}}
""".strip()

SCRIPT: Final = """
"use strict";
const form = document.getElementById("filter"), main = document.querySelector("main");
const jobs = Array.from(main.children, (element, place) => ({
  element, place, status: element.dataset.status, seconds: Number(element.dataset.seconds),
  places: element.dataset.places.split(","), text: null,
}));
function apply() {
  const statuses = new Set(Array.from(form.querySelectorAll("[name=status]:checked"), (box) => box.value));
  const chosen = Array.from(form.querySelectorAll("[data-input]"), (select) => [select.dataset.input, select.value])
    .filter(([, value]) => value !== "");
  const words = form.elements.text.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const job of jobs) {
    if (words.length && job.text === null) job.text = job.element.textContent.toLowerCase();
    const fits = statuses.has(job.status) && chosen.every(([input, value]) => job.places[input] === value)
      && words.every((word) => job.text.includes(word));
    job.element.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = shown === jobs.length ? "" : `${shown.toLocaleString("en")} shown.`;
  document.getElementById("none").hidden = shown > 0;
}
function sort() {
  const longest = form.elements.order.value === "seconds";
  jobs.sort((one, other) => (longest ? other.seconds - one.seconds : 0) || one.place - other.place);
  main.append(...jobs.map((job) => job.element));
}
form.addEventListener("input", (event) => { if (event.target.name === "order") sort(); apply(); });
form.addEventListener("reset", () => setTimeout(() => { sort(); apply(); }));
form.addEventListener("submit", (event) => event.preventDefault());
apply();
""".strip()
