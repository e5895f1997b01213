import { follow } from "./live.js";
import "./forms.js";
import "./keys.js";

if (document.body.dataset.events) {
  document.addEventListener("visibilitychange", follow);
  follow();
}
