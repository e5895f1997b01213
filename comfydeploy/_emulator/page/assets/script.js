"use strict";

// Makes what is shown equal to what came, and touches only what differs:
// focus, selections and opened details stay as they are.
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const wanted = new Set([...fresh.children].map((child) => child.id));
  for (const child of [...old.children]) if (child.id && !wanted.has(child.id)) child.remove();
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    if (place && place.nodeName === child.nodeName && (place.id ?? "") === (child.id ?? "")) {
      const next = place.nextSibling;
      become(place, child);
      place = next;
    } else if (child.id || !place || place.id) {
      old.insertBefore(child, place);
    } else {
      const next = place.nextSibling;
      place.replaceWith(child);
      place = next;
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
