// One key an action: never while typing, never with Ctrl, Alt or Meta, and not at all when switched off (WCAG 2.1.4).

const stored = "codex-keys";
const box = document.getElementById("keys");
const bindings = new Map();
let asked = null;

box.checked = localStorage.getItem(stored) !== "off";
document.documentElement.classList.toggle("no-keys", !box.checked);
box.addEventListener("change", () => {
  localStorage.setItem(stored, box.checked ? "on" : "off");
  document.documentElement.classList.toggle("no-keys", !box.checked);
});

export function bind(keys) {
  for (const [key, action] of Object.entries(keys)) bindings.set(key, action);
}

export const keysOn = () => box.checked;

// The next key is one of these; any other one only ends the question. `done` is called when it is over.
// Without answers: what was asked was answered by a click.
export function ask(answers, done = () => {}) {
  asked?.done();
  asked = answers && { answers, done };
}

function typing(target) {
  return target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (!box.checked || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.isComposing || event.repeat || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Shift") return;
  if (asked) {
    const { answers, done } = asked;
    asked = null;
    done();
    event.preventDefault();
    answers[event.key]?.();
    return;
  }
  const action = bindings.get(event.key);
  if (!action) return;
  event.preventDefault();
  action();
});
