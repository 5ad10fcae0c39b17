// The risk page: explanations that somebody has opened stay open while the figures around them are renewed.

const opened = new Set();

document.addEventListener("click", ({ target }) => {
  const details = target.closest("details.terms > summary")?.parentElement;
  if (!details) return;
  // A click comes before what it does.
  if (details.open) opened.delete(details.id);
  else opened.add(details.id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of opened) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
});
