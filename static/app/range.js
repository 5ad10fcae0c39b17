// How far along a slider is, for the CSS that fills its track: --value, in per cent of its range.

/** Set a slider's value, and what CSS draws of it. */
export function setRange(range, value = range.value) {
  range.value = value;
  const [least, most, now] = [range.min || 0, range.max || 100, range.value].map(Number);
  range.style.setProperty("--value", most > least ? ((now - least) / (most - least)) * 100 : 0);
}

function fillAll() {
  for (const range of document.querySelectorAll("input[type=range]")) setRange(range);
}

export function startRanges() {
  document.addEventListener("input", ({ target }) => target.matches("input[type=range]") && setRange(target));
  document.addEventListener("htmx:after:swap", fillAll);
  fillAll();
}
