// One source: proposals one after the other, marked by a key or a click, beside the text that they quote.

import { ask, bind, keysOn } from "./keys.js";
import { miss, whenMissed } from "./missed.js";
import { notice, said } from "./page.js";
import { drop, flush, keep, post, tell as count, unsent } from "./unsent.js";

const list = document.getElementById("items");
const holder = document.getElementById("holder");
const prompt = document.getElementById("prompt");
const source = document.getElementById("source");
const { name, kept, after } = list.dataset;
const links = [...list.querySelectorAll("a")];
const ids = links.map((link) => link.dataset.id);
const marks = new Map([...document.querySelectorAll("#body mark")].flatMap((each) => (
  each.dataset.ids.split(" ").map((id) => [id, each])
)).reverse());
const spoken = { approve: "approve", add: "add", reject: "reject", wait: "" };
const fetched = new Map();
const done = [];
const pause = 400;  // milliseconds without a key, after which what was typed is saved
let at = 0, began = performance.now(), typing = 0;

const card = () => document.getElementById("card");
const here = () => links[at];
const ident = () => here()?.dataset.id;
const tell = (text) => { prompt.textContent = text; };

// -- which proposal is shown --------------------------------------------------------------------------

async function load(id) {
  const answer = await fetch(`/item/${encodeURIComponent(name)}/${encodeURIComponent(id)}`);
  if (!answer.ok) throw new Error(answer.status === 404 ? "this proposal waits no more" : "it cannot be shown now");
  return answer.text();
}

function ahead(index) {
  const id = ids[index];
  if (id && !fetched.has(id)) fetched.set(id, load(id).catch(() => { fetched.delete(id); return ""; }));
}

async function show(index, text = "") {
  if (index < 0 || index >= ids.length) return;
  const inside = card()?.contains(document.activeElement);
  const id = ids[index];
  at = index;
  began = performance.now();
  for (const link of links) link.removeAttribute("aria-current");
  here().setAttribute("aria-current", "step");
  here().scrollIntoView({ block: "nearest", inline: "nearest" });
  try {
    const version = here().dataset.version;
    let html = (await fetched.get(id)) || (await load(id));
    if (id !== ident()) return;
    if (here().dataset.version !== version) html = await load(id);  // its mark was written while it was on its way
    if (id !== ident()) return;
    holder.innerHTML = html;
  } catch (error) {
    if (id === ident()) tell(`The next one cannot be shown: ${error instanceof TypeError ? "the program does not answer" : error.message}.`);
    return;
  } finally {
    fetched.delete(id);
  }
  shown();
  if (inside) document.getElementById("card-title").focus({ preventScroll: true });
  history.replaceState(null, "", `?at=${encodeURIComponent(id)}${kept ? `&${kept}` : ""}`);
  tell(`${text}${text ? " " : ""}Proposal ${index + 1} of ${ids.length}`);
  for (const step of [1, 2, 3]) ahead(index + step);
}

// The card is there: show what is not saved yet, and where the source says it.
function shown() {
  const id = ident();
  here().dataset.version = card().dataset.version;
  for (const { body } of unsent(id)) {
    if (body.mark) draw(id, body.mark, body.fields?.reason);
    for (const field of holder.querySelectorAll("#fields [name]")) field.value = body.fields?.[field.name] ?? field.value;
  }
  for (const each of document.querySelectorAll("#body mark.here")) each.classList.remove("here");
  for (const each of document.querySelectorAll(`#body mark[data-ids~="${CSS.escape(id)}"]`)) each.classList.add("here");
  if (source.scrollHeight > source.clientHeight) marks.get(id)?.scrollIntoView({ block: "center" });
  holder.scrollTop = 0;
  for (const field of holder.querySelectorAll("#fields [name]")) {
    field.known = field.value;
    field.addEventListener("change", () => edited(id));
    field.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => edited(id), pause);
      count("you are typing", 1);
    });
    field.addEventListener("keydown", typed);
    if (field.tagName === "TEXTAREA") field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); field.blur(); }
    });
  }
  document.getElementById("fields")?.addEventListener("submit", (event) => event.preventDefault());
}

function typed(event) {
  if (event.key === "Escape") { event.target.blur(); document.getElementById("card-title").focus(); }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.target.blur();
    approve();
  }
}

// -- marks --------------------------------------------------------------------------------------------

function draw(id, mark, reason = "") {
  const link = links[ids.indexOf(id)];
  if (link) { link.dataset.mark = mark; link.querySelector(".state").textContent = mark; }
  if (card()?.dataset.id !== id) return;
  card().dataset.mark = mark;
  const badge = document.getElementById("badge");
  badge.className = `badge ${mark}`;
  badge.textContent = mark === "reject" && reason ? `reject: ${reason}` : spoken[mark];
}

function put(which, mark, fields, label) {
  const before = which.map((id) => [id, links[ids.indexOf(id)].dataset.mark]);
  const items = which.map((id) => ({ id, seen: links[ids.indexOf(id)].dataset.version }));
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  for (const id of which) { draw(id, mark, fields.reason); fetched.delete(id); }
  const key = keep("/api/mark", { name, items, mark, fields, seconds }, which, label);
  done.push({ key, id: which[0], before });
}

function decide(mark, fields, text) {
  const id = ident();
  if (!id || card()?.dataset.id !== id) return;
  ask(null);
  document.activeElement?.matches?.("#fields *") && document.activeElement.blur();
  put([id], mark, fields, `${text} “${title()}”`);
  onward(`${text}.`);
}

function onward(text) {
  const open = (index) => links[index].dataset.mark === "wait";
  const order = [...ids.keys()];
  const next = [...order.slice(at + 1), ...order.slice(0, at)].find(open);
  if (next !== undefined) { show(next, text); return; }
  tell(`${text} All are marked: now preview and apply.`);
  document.getElementById("preview").classList.add("yes");
}

const title = () => holder.querySelector("[name=title]")?.value || "nothing to claim";
const approve = () => decide("approve", {}, "Approved");
const reject = (reason) => (card()?.dataset.box ? tell("There is nothing to reject here.") :
  decide("reject", { reason }, reason ? `Rejected as ${reason}` : "Rejected"));

function edited(id) {
  clearTimeout(typing);
  if (card()?.dataset.id !== id) return;
  const fields = {};
  for (const field of holder.querySelectorAll("#fields [name]")) {
    if (field.value !== field.known) fields[field.name] = field.known = field.value;
  }
  if (Object.keys(fields).length) put([id], links[ids.indexOf(id)].dataset.mark, fields, `the edit of “${title()}”`);
  else count();
}

function why() {
  if (card()?.dataset.box) { tell("There is nothing to reject here."); return; }
  tell("Reject as what? A key or a button; Enter gives no reason.");
  document.getElementById("reasons").classList.add("asked");
  const over = () => { document.getElementById("reasons").classList.remove("asked"); tell(""); };
  const answers = { o: words, Enter: () => reject("") };
  for (const reason of ["duplicate", "vague", "unsupported", "trivial", "wrong"]) answers[reason[0]] = () => reject(reason);
  ask(answers, over);
}

function words() {
  if (card()?.dataset.box) return;
  dialog("words", () => {
    const text = document.getElementById("words-text");
    if (text.value.trim()) reject(text.value.trim());
    text.value = "";
  });
}

function add(kind) {
  const to = card()?.dataset.adds;
  if (!to) return;
  decide("add", { "adds to": to, as: kind }, `To be added as ${kind}`);
}

function how() {
  const to = card()?.dataset.adds;
  if (card()?.dataset.box) { tell("There is nothing to add here."); return; }
  if (!to) { other(); return; }
  const kinds = document.getElementById("kinds");
  kinds.hidden = false;
  tell(`Add to ${to} as: e extend, c confirm, h challenge; Enter: ${card().dataset.kind}`);
  const over = () => { kinds.hidden = true; tell(""); };
  ask({ e: () => add("extend"), c: () => add("confirm"), h: () => add("challenge"), Enter: () => add(card().dataset.kind) }, over);
}

// No claim is near enough: the person names one.
function other() {
  const shown = card();
  const typed = document.getElementById("other-claim");
  typed.value = "";
  dialog("other", () => {
    const named = typed.value.trim().replace(/^\[\[|\]\]$/g, "");
    if (!named || card() !== shown) return;
    shown.dataset.adds = `[[${named}]]`;
    how();
  });
}

function rest() {
  const left = links.filter((link) => link.dataset.mark === "wait").map((link) => link.dataset.id);
  if (!left.length || card()?.dataset.box) { tell("Nothing is left without a mark."); return; }
  document.getElementById("sure-count").textContent = left.length === 1 ? "1 proposal" : `${left.length} proposals`;
  dialog("sure", () => {
    put(left, "reject", { reason: "trivial" }, `${left.length} rejected as trivial`);
    onward(`${left.length} rejected as trivial.`);
  });
}

async function undo() {
  const last = done.pop();
  if (last && drop(last.key)) {
    for (const [id, mark] of last.before) draw(id, mark);
    show(ids.indexOf(last.id), "Taken back.");
    return;
  }
  try {
    if (!(await flush())) { if (last) done.push(last); tell("Not saved yet: it cannot be undone now."); return; }
    const { ok, value } = await post("/api/undo", { name, id: last?.id || "", seen: links[ids.indexOf(last?.id)]?.dataset.version || "" });
    if (!ok) { notice(`Not undone: ${said(value.error)}`); return; }
    took(value.items);
    fetched.clear();
    if (value.id) await show(ids.indexOf(value.id), "Taken back.");
    else location.reload();
  } catch {
    if (last) done.push(last);
    tell("Not undone: the program does not answer.");
  }
}

function took(items) {
  for (const item of items) {
    const link = links[ids.indexOf(item.id)];
    if (!link) continue;
    link.dataset.version = item.version;
    fetched.delete(item.id);
    if (card()?.dataset.id === item.id) card().dataset.version = item.version;
    if (!unsent(item.id).some((each) => each.body.mark)) draw(item.id, item.mark, item.reason);
  }
}

document.addEventListener("written", ({ detail: { entry, answer } }) => {
  if (answer.value.name === name && answer.value.items) took(answer.value.items);
});

// What was marked elsewhere meanwhile is shown as it is now.
document.addEventListener("refused", async ({ detail: { entry } }) => {
  if (entry.body.name !== name) return;
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  took([...page.querySelectorAll("#items a")].map(({ dataset: { id, mark, version } }) => ({ id, mark, version })));
  fetched.clear();
  const index = ids.indexOf(entry.ids[0]);
  if (index >= 0) show(index, "Changed meanwhile.");
});

whenMissed((title, sent) => {
  if (sent) done.push({ key: "", id: "", before: [] });
  tell(`Added: ${title}`);
});

const sure = document.getElementById("sure");
sure.addEventListener("keydown", (event) => {
  if (!keysOn() || !["y", "n"].includes(event.key)) return;
  event.preventDefault();
  sure.close(event.key === "y" ? "ok" : "");
});

// -- everything by key and by click ------------------------------------------------------------------------

function dialog(id, then) {
  const found = document.getElementById(id);
  found.returnValue = "";
  found.addEventListener("close", () => found.returnValue === "ok" && then(), { once: true });
  found.showModal();
}

async function preview() {
  tell("Saving…");
  if (await flush()) location.href = document.getElementById("preview").href;
  else tell("Some marks are not saved yet: they are applied once they are.");
}

addEventListener("pagehide", () => edited(ident()));

const actions = {
  approve, reject: why, words, add: how, undo, rest,
  next: () => (at + 1 < ids.length ? show(at + 1) : tell("This is the last: now preview and apply.")),
  back: () => (at > 0 ? show(at - 1) : tell("This is the first.")),
  clear: () => decide("wait", {}, "Mark cleared"),
};
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => actions[button.dataset.do]());
for (const button of document.querySelectorAll("[data-reason]")) button.addEventListener("click", () => reject(button.dataset.reason));
for (const button of document.querySelectorAll("[data-kind]:not(#card)")) button.addEventListener("click", () => add(button.dataset.kind));
document.getElementById("miss").addEventListener("click", miss);
document.getElementById("preview").addEventListener("click", (event) => { event.preventDefault(); preview(); });
list.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(ids.indexOf(link.dataset.id));
});
document.getElementById("body").addEventListener("click", (event) => {
  const mark = event.target.closest("mark");
  const index = mark && getSelection().isCollapsed ? ids.indexOf(mark.dataset.ids.split(" ")[0]) : -1;
  if (index >= 0 && index !== at) show(index);
});
bind({
  y: approve, n: why, N: () => reject(""), q: preview, s: actions.next, b: actions.back, u: undo, d: rest, m: miss, a: preview, "+": how,
  t: () => reject("trivial"), v: () => reject("vague"), w: () => reject("wrong"), T: () => reject("trivial"),
  V: () => reject("vague"), W: () => reject("wrong"), D: () => reject("duplicate"), U: () => reject("unsupported"),
  e: () => { const field = holder.querySelector("[name=title]"); field?.focus(); field?.select(); },
});

if (card()) {
  at = ids.indexOf(card().dataset.id);
  shown();
  for (const step of [1, 2, 3]) ahead(at + step);
}
document.documentElement.dataset.ready = "yes";
