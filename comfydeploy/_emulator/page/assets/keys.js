// What has a key says so itself, with aria-keyshortcuts; the list of the keys is made from the page.
const dialog = document.querySelector("#keys");
const isOn = document.querySelector("#keys-on");
const STORED = "comfydeploy-keys";

const runs = () => [...document.querySelectorAll(".run .open")];

// From the run that has the focus, or from the first one.
function move(step) {
  const links = runs();
  const here = links.findIndex((link) => link.closest(".run").contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(Math.max(0, here + step), links.length - 1);
  links[next]?.focus();
}

function choose() {
  document.activeElement?.closest(".run")?.querySelector("[name=run]")?.click();
}

const LISTS = [
  ["j", "The next run", () => move(1)],
  ["k", "The run before", () => move(-1)],
  ["s", "Choose the run for a comparison", choose],
];

function name(element) {
  const text = element.getAttribute("aria-label") || element.textContent;
  return text.replace(/\s+/g, " ").trim();
}

function explain() {
  const rows = [...document.querySelectorAll("[aria-keyshortcuts]")].map((one) => [one.getAttribute("aria-keyshortcuts"), name(one)]);
  if (runs().length) rows.push(...LISTS.filter(([key]) => key !== "s" || document.querySelector("[name=run]")));
  dialog.querySelector("dl").replaceChildren(...rows.map(([key, what]) => {
    const row = document.createElement("div");
    const term = row.appendChild(document.createElement("dt"));
    term.appendChild(document.createElement("kbd")).textContent = key;
    row.appendChild(document.createElement("dd")).textContent = what;
    return row;
  }));
  dialog.showModal();
}

function press(event) {
  const { key, target, ctrlKey, altKey, metaKey } = event;
  const isWriting = target.matches("textarea, select, input:not([type=checkbox])");
  if (ctrlKey || altKey || metaKey || isWriting || dialog.open || !isOn.checked) return;
  const element = document.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}"]`);
  const act = LISTS.find(([one]) => one === key)?.[2];
  if (!element && !act) return;
  event.preventDefault();
  if (!element) act();
  else if (element.matches("input")) element.focus();
  else element.click();
}

// A browser may refuse to store anything: then the choice lasts until the page is left.
function stored(act) {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}

isOn.checked = stored((store) => store.getItem(STORED)) !== "off";
isOn.addEventListener("change", () => stored((store) => store.setItem(STORED, isOn.checked ? "on" : "off")));
document.querySelector("#help").addEventListener("click", explain);
document.addEventListener("keydown", press);
