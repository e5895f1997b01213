// What belongs to the visitor is never taken from the content: whether details are open.
const isTheirs = (element, name) => element.nodeName === "DETAILS" && name === "open";

// Makes what is shown equal to what came and touches only what differs, so that focus, selections, scroll positions,
// chosen boxes and opened details stay as they are. An element that may come or go has an id.
export function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isTheirs(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isTheirs(old, name)) old.setAttribute(name, value);
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
