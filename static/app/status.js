// The line under the market bar that says what a market does not take just now; the server draws it first.

const TEXTS = {
  post_only: "This market takes resting orders only for now: nothing is matched.",
  cancel_only: "This market takes cancellations only for now.",
  halted: "This market is halted: no orders are taken, and none are matched.",
  delisted: "This market is closed for good.",
};

function notice(bar) {
  const element = document.createElement("p");
  element.className = "notice market-notice";
  element.setAttribute("role", "status");
  bar.after(element);
  return element;
}

/** Show a market's status; nothing is said of a normal one. */
export function showStatus(bar, status) {
  const shown = document.querySelector(".market-notice");
  const text = TEXTS[status] ?? "";
  if ((shown?.textContent ?? "") === text) return;
  if (!text) shown.remove();
  else (shown ?? notice(bar)).textContent = text;
}
