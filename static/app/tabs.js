// Tabs: the account panel's tables, the book and the tape, the views of a small screen.

const STEP = { ArrowRight: 1, ArrowLeft: -1 };
const LAZY = new Set(["history", "fills", "funding"]);

function select(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(`panel-${other.dataset.tab}`);
    if (panel) panel.hidden = !chosen;
  }
}

function openTab(tab) {
  select(tab);
  const panel = document.getElementById(`panel-${tab.dataset.tab}`);
  if (LAZY.has(tab.dataset.tab)) panel?.dispatchEvent(new CustomEvent("panel:refresh", { bubbles: true }));
}

function openBookTab(button) {
  document.getElementById("book-column").dataset.tab = button.dataset.bookTab;
  for (const other of document.querySelectorAll("[data-book-tab]")) {
    const chosen = other === button;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
  }
}

function openView(link) {
  document.getElementById("desk").dataset.view = link.dataset.mobileView;
  for (const other of document.querySelectorAll("[data-mobile-view]")) {
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  dispatchEvent(new Event("resize"));
}

const KINDS = [
  ["[role=tab][data-tab]", openTab],
  ["[data-book-tab]", openBookTab],
  ["[data-mobile-view]", openView],
];

function clicked(event) {
  for (const [selector, open] of KINDS) {
    const tab = event.target.closest(selector);
    if (!tab) continue;
    event.preventDefault();
    open(tab);
  }
}

function walked(event) {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab || !STEP[event.key]) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(tab) + STEP[event.key] + tabs.length) % tabs.length];
  event.preventDefault();
  next.focus();
  next.click();
}

export function startTabs() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", walked);
}
