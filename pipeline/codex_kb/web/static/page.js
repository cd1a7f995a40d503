// On every page: what is saved, search and help by a key, and taking back what was applied.

import { bind } from "./keys.js";
import { flush, post, unsent } from "./unsent.js";

const saved = document.getElementById("saved");
const notices = document.getElementById("notices");

document.addEventListener("unsent", ({ detail }) => {
  const text = detail.left ? `Not saved yet: ${detail.left}${detail.why ? ` (${detail.why})` : ""}` : "All saved";
  if (saved.textContent !== text) saved.textContent = text;
  saved.classList.toggle("open", detail.left > 0);
});

export function notice(text, href) {
  const line = document.createElement("p");
  line.append(text);
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = "Look at it";
    line.append(" ", link);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => line.remove());
  line.append(" ", close);
  notices.append(line);
  return line;
}

export function said(error) {
  return error.hint ? `${error.message}. ${error.hint}` : error.message;
}

document.addEventListener("refused", ({ detail: { entry, answer } }) => {
  const href = `${entry.page}?at=${encodeURIComponent(entry.ids[0] || "")}`;
  notice(`Not saved: ${entry.label}. ${said(answer.value.error)}`, href).dataset.id = entry.ids[0] || "";
});

// What was decided again needs no notice any more.
document.addEventListener("written", ({ detail: { entry } }) => {
  for (const line of notices.querySelectorAll("[data-id]")) if (entry.ids.includes(line.dataset.id)) line.remove();
});

const help = document.getElementById("help");
document.getElementById("help-button").addEventListener("click", () => help.showModal());
bind({
  "?": () => help.showModal(),
  "/": () => document.getElementById("find").focus(),
  q: () => { location.href = "/"; },
  Q: () => { location.href = "/"; },
});

for (const select of document.querySelectorAll("form.filters select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// -- what a preview promises ----------------------------------------------------------------------

const back = document.getElementById("back");
if (back) bind({ b: () => back.click() });

const apply = document.getElementById("apply");
const outcome = document.getElementById("outcome");

apply?.addEventListener("click", async () => {
  apply.disabled = true;
  outcome.textContent = "Applying…";
  try {
    if (!(await flush()) || unsent().length) throw new Error("Some marks are not saved yet: wait until they are.");
    const { ok, value } = await post("/api/apply", { name: apply.dataset.name, seen: apply.dataset.seen });
    if (!ok) throw new Error(said(value.error));
    if (!value.faults.length) { location.href = value.page + location.search.replace("?", "&"); return; }
    outcome.textContent = `${value.approved.length} approved, ${value.rejected.length} rejected. ` +
      value.faults.map(said).join(" ");
    notice("Not all of it was applied.", location.href);
  } catch (error) {
    outcome.textContent = error instanceof TypeError ? "The program does not answer. Nothing is lost." : error.message;
    apply.disabled = false;
  }
});

// -- what is on record ------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-withdraw]")) {
  button.addEventListener("click", () => {
    const why = document.getElementById("why");
    why.returnValue = "";
    why.showModal();
    why.addEventListener("close", async () => {
      if (why.returnValue !== "ok") return;
      button.disabled = true;
      try {
        const text = document.getElementById("why-text").value;
        const { ok, value } = await post("/api/withdraw", { id: button.dataset.withdraw, why: text });
        if (!ok) throw new Error(said(value.error));
        location.reload();
      } catch (error) {
        outcome.textContent = error.message;
        button.disabled = false;
      }
    }, { once: true });
  });
}
