"use strict";

const main = document.querySelector("main");
const connection = document.querySelector("#connection");
let source;

// Makes what is shown equal to what came and touches only what differs, so that focus, selections and opened
// details stay as they are. An element that may come or go has an id.
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
    return;
  }
  const theirs = (name) => old.nodeName === "DETAILS" && name === "open";
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !theirs(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !theirs(name)) old.setAttribute(name, value);
  }
  const kept = new Set([...fresh.children].map((child) => child.id));
  for (const child of [...old.children]) if (!kept.has(child.id)) child.remove();
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    if (place && place.nodeName === child.nodeName && place.id === child.id) {
      become(place, child);
      place = place.nextSibling;
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const rest = place;
    place = place.nextSibling;
    rest.remove();
  }
}

function show({ data }) {
  const { title, content } = JSON.parse(data);
  const fresh = document.createElement("main");
  fresh.append(...new DOMParser().parseFromString(content, "text/html").body.childNodes);
  document.title = title;
  become(main, fresh);
}

// A hidden page holds no connection, because a browser has few of them for one server.
function follow() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(document.body.dataset.events);
  source.onmessage = show;
  source.onopen = () => { connection.textContent = "Live"; };
  source.onerror = () => {
    const isOver = source.readyState === EventSource.CLOSED;
    connection.textContent = isOver ? "No longer live: reload the page" : "Not connected, trying again…";
  };
}

async function copy({ target }) {
  if (!target.matches(".copy")) return;
  await navigator.clipboard.writeText(target.closest("figure").querySelector("code").textContent);
  target.textContent = "Copied";
}

document.addEventListener("visibilitychange", follow);
document.addEventListener("click", copy);
follow();
