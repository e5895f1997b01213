async function copy(button) {
  await navigator.clipboard.writeText(button.closest("figure").querySelector("code").textContent);
  button.textContent = "Copied";
}

function roll(button) {
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  document.getElementById(button.dataset.for).value = number;
}

function switchAll({ form, dataset }) {
  for (const box of form.querySelectorAll("[name=quirk]")) box.checked = Boolean(dataset.on);
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  if (target.matches(".copy")) copy(target);
  if (target.matches(".dice")) roll(target);
  if (target.matches("button.all")) switchAll(target);
});

// An address has only what was chosen, so that it can be read and kept.
document.addEventListener("formdata", ({ target, formData }) => {
  if (target.id !== "filters") return;
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});

// A choice takes effect at once.
document.addEventListener("change", ({ target }) => {
  if (target.matches("#filters select, #filters [type=datetime-local]")) target.form.requestSubmit();
  if (target.matches("[type=file]")) preview(target);
});

// Pictures are drawn from their bytes, so that the policy of the page need not allow further addresses.
async function preview(input) {
  const drop = input.closest(".drop");
  const files = [...input.files];
  drop.querySelector(".hint").textContent = files.map((file) => file.name).join(", ") || "Drop a file here, or choose";
  const drawn = await Promise.all(files.slice(0, 12).map(draw));
  drop.querySelector(".previews").replaceChildren(...drawn.filter(Boolean));
}

async function draw(file) {
  if (!file.type.startsWith("image/")) return null;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 160 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, picture.width * scale);
    canvas.height = Math.max(1, picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", file.name);
    return canvas;
  } catch {
    return null; // not a picture that this browser knows
  }
}

// The highlight of a field on which a file is dragged.
for (const [kind, isOver] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(kind, ({ target }) => {
    if (target instanceof Element && target.matches(".drop [type=file]")) {
      target.parentElement.classList.toggle("over", isOver);
    }
  });
}
