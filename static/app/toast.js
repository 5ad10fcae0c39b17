// Short notices: polite ones in #toasts, urgent ones in #alerts; they go by themselves unless someone looks at them.

const STAY_MS = 6000;
const ALERT_STAY_MS = 12_000;
const MOST = 5;

const timers = new WeakMap();

function region(urgent) {
  return document.getElementById(urgent ? "alerts" : "toasts");
}

function leave(toast) {
  const stay = toast.closest("#alerts") ? ALERT_STAY_MS : STAY_MS;
  timers.set(toast, setTimeout(() => toast.remove(), stay));
}

function stay(toast) {
  clearTimeout(timers.get(toast));
}

function arrived(toast) {
  const { key } = toast.dataset;
  for (const other of document.querySelectorAll("[data-toast][data-key]")) {
    if (other !== toast && other.dataset.key === key) other.remove();
  }
  const shown = toast.parentElement.querySelectorAll("[data-toast]");
  for (const old of [...shown].slice(0, Math.max(0, shown.length - MOST))) old.remove();
  leave(toast);
}

/** Show a notice. Kinds: good, bad, info. Of several with one key the last one stays. */
export function toast({ title, text = "", kind = "info", urgent = false, key = "" }) {
  const element = document.getElementById("toast-template")?.content.firstElementChild.cloneNode(true);
  if (!element) return;
  if (key) element.dataset.key = key;
  element.classList.add(`toast-${kind}`);
  element.querySelector("[data-toast-title]").textContent = title;
  element.querySelector("[data-toast-text]").textContent = text;
  region(urgent).append(element);
}

export function startToasts() {
  const regions = [region(false), region(true)].filter(Boolean);
  const watcher = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.isConnected && node.matches?.("[data-toast]")) arrived(node);
    }
  });
  for (const one of regions) {
    watcher.observe(one, { childList: true });
    one.querySelectorAll("[data-toast]").forEach(leave);
    for (const event of ["pointerover", "focusin"]) one.addEventListener(event, ({ target }) => withToast(target, stay));
    for (const event of ["pointerout", "focusout"]) one.addEventListener(event, ({ target }) => withToast(target, leaveAgain));
  }
  document.addEventListener("click", ({ target }) => target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove());
}

function leaveAgain(element) {
  stay(element);
  leave(element);
}

function withToast(target, action) {
  const element = target.closest("[data-toast]");
  if (element) action(element);
}
