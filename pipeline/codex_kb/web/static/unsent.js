// What the server has not confirmed yet: kept in localStorage until it has, sent in order, by one tab at a time.

const prefix = `codex-unsent-${document.documentElement.dataset.base}-`;
const waits = [500, 1000, 2000, 5000];
export const tab = Math.random().toString(36).slice(2);
let count = 0, failures = 0, timer = 0, sending = "", full = false;

function entries() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix)).sort();
  return keys.map((key) => ({ key, ...JSON.parse(localStorage.getItem(key)) }));
}

export function unsent(id) {
  return entries().filter((each) => !id || each.ids.includes(id));
}

// Say how much is not saved; `more` is what is not even kept yet.
export function tell(why = "", more = 0) {
  const left = entries().length + more;
  document.dispatchEvent(new CustomEvent("unsent", { detail: { left, why: full ? "this browser keeps nothing" : why } }));
}

// Keep a write and send it; the key it is kept under. What it is about: `ids` of proposals, `label` for people.
export function keep(url, body, ids, label) {
  count += 1;
  const key = `${prefix}${String(Date.now()).padStart(15, "0")}-${String(count).padStart(6, "0")}-${tab}`;
  try {
    localStorage.setItem(key, JSON.stringify({ url, body, ids, label, tab, page: location.pathname }));
  } catch {
    full = true;
  }
  tell();
  flush();
  return key;
}

// Drop a write that was not sent; false where it was, or is under way.
export function drop(key) {
  if (key === sending || localStorage.getItem(key) === null) return false;
  localStorage.removeItem(key);
  tell();
  return true;
}

export async function post(url, body) {
  const answer = await fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return { status: answer.status, ok: answer.ok, value: await answer.json() };
}

// Send all that is kept, in order; true when nothing is left.
export async function flush() {
  clearTimeout(timer);
  if (navigator.locks) return navigator.locks.request(prefix, send);
  return sending ? false : send();
}

async function send() {
  for (let first = entries()[0]; first; first = entries()[0]) {
    sending = first.key;
    let answer;
    try {
      answer = await post(first.url, first.body);
    } catch {
      return later("the program does not answer");
    }
    if ([403, 423, 503, 507].includes(answer.status)) return later(answer.value.error.message);
    if (answer.ok) follow(first, answer.value.items || []);
    localStorage.removeItem(first.key);
    failures = 0;
    document.dispatchEvent(new CustomEvent(answer.ok ? "written" : "refused", { detail: { entry: first, answer } }));
  }
  sending = "";
  tell();
  return true;
}

function later(why) {
  sending = "";
  timer = setTimeout(flush, waits[Math.min(failures, waits.length - 1)]);
  failures += 1;
  tell(why);
  return false;
}

// What this tab marked twice before the first was answered saw what the first makes of it.
function follow(sent, items) {
  for (const { key, ...each } of entries()) {
    if (each.tab !== sent.tab || key === sent.key || !each.body.items) continue;
    for (const item of each.body.items) {
      const before = sent.body.items?.find((one) => one.id === item.id);
      const now = items.find((one) => one.id === item.id);
      if (before && now && before.seen === item.seen) item.seen = now.version;
    }
    localStorage.setItem(key, JSON.stringify(each));
  }
}

addEventListener("online", flush);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush());
addEventListener("pageshow", () => { tell(); flush(); });
