import { become } from "./morph.js";

const main = document.querySelector("main");
const connection = document.querySelector("#connection");
let source;
let latest = null;

// At most once a frame, and only the latest of what has come since.
function show() {
  const { title, content } = JSON.parse(latest);
  latest = null;
  const fresh = main.cloneNode(false);
  fresh.append(...new DOMParser().parseFromString(content, "text/html").body.childNodes);
  document.title = title;
  become(main, fresh);
}

function receive({ data }) {
  if (latest === null) requestAnimationFrame(show);
  latest = data;
}

// A hidden page holds no connection, because a browser has few of them for one server.
export function follow() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(document.body.dataset.events);
  source.onmessage = receive;
  source.onopen = () => { connection.textContent = "Live"; };
  source.onerror = () => {
    const isOver = source.readyState === EventSource.CLOSED;
    connection.textContent = isOver ? "No longer live: reload the page" : "Not connected, trying again…";
  };
}
