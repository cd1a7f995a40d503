// A claim that was missed: from what is selected in the source. What was typed stays until it is added.

import { said } from "./page.js";
import { keep, post } from "./unsent.js";

const box = document.getElementById("missed");
const form = document.getElementById("missed-form");
const source = document.getElementById("source");
const field = (part) => document.getElementById(`missed-${part}`);
const { name } = document.getElementById("items").dataset;
let offered = "", chosen = null;

// A quote on one line as a title, without Markdown's marks.
function plain(text) {
  return text.replace(/^\s*(?:[-*+>]|#{1,6}|\d+[.)])\s+/gm, "").replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replace(/\[([^\]]+)\]\((?:<[^>]*>|[^)]*)\)/g, "$1").replace(/\[\^[^\]]+\]/g, "")
    .replace(/\[\[(?:[^\]|]*\|)?([^\]]+)\]\]/g, "$1").replace(/(\*\*|__|~~|==|`)(?=\S)(.+?)\1/gs, "$2")
    .replace(/(?<![\w*])([*_])(?=\S)([^*_]+?)\1(?![\w*])/g, "$2").replace(/\s+/g, " ").trim();
}

export function miss() {
  const selected = getSelection();
  const quote = source.contains(selected.anchorNode) ? selected.toString().trim() : "";
  chosen = quote ? selected.getRangeAt(0).cloneRange() : null;
  if (quote && quote !== field("quote").value.trim()) {
    field("quote").value = quote;
    if (field("claim").value === offered) field("claim").value = offered = plain(quote);
  }
  field("error").textContent = "";
  box.showModal();
  const first = field(field("quote").value ? "claim" : "quote");
  first.focus();
  if (first.value === offered) first.select();
}

box.addEventListener("close", () => {
  if (!chosen) return;
  getSelection().removeAllRanges();
  getSelection().addRange(chosen);
});
field("cancel").addEventListener("click", () => box.close());
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
});

// `added` is called with the title, and whether the server has it already.
export function whenMissed(added) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const value = (part) => field(part).value.trim();
    const body = { name, title: value("claim"), quote: value("quote"), description: value("description") };
    let answer = null;
    try {
      answer = await post("/api/missed", body);
    } catch { /* the program does not answer: it is kept */ }
    if (answer?.status === 400) { field("error").textContent = said(answer.value.error); return; }
    if (!answer?.ok) keep("/api/missed", body, [], `the missed claim “${body.title}”`);
    list(body.title);
    form.reset();
    offered = "";
    chosen = null;
    box.close();
    getSelection().removeAllRanges();
    added(body.title, Boolean(answer?.ok));
  });
}

function list(title) {
  const line = document.createElement("li");
  line.textContent = title;
  document.getElementById("added").append(line);
  document.getElementById("added-box").hidden = false;
}
