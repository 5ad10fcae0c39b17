// The few ways in which modules touch the page: text and classes, written only when they change.

const FLASH_MS = 300;
const SWEEP_EVERY_MS = 100;
const flashing = new Map();
let sweep = null;

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Colour by direction: positive up, negative down, zero neither. */
export function setDirection(element, sign) {
  if (!element) return;
  element.classList.toggle("up", sign > 0);
  element.classList.toggle("down", sign < 0);
}

/** Colour an element's text for a moment. Two paints, where an animation would paint the page at every frame. */
export function flash(element, sign) {
  if (!element || !sign || CALM.matches || document.hidden) return;
  element.classList.toggle("flash-up", sign > 0);
  element.classList.toggle("flash-down", sign < 0);
  flashing.set(element, performance.now() + FLASH_MS);
  sweep ??= setTimeout(endFlashes, FLASH_MS);
}

function endFlashes() {
  const now = performance.now();
  for (const [element, until] of flashing) {
    if (until > now) continue;
    element.classList.remove("flash-up", "flash-down");
    flashing.delete(element);
  }
  sweep = flashing.size ? setTimeout(endFlashes, SWEEP_EVERY_MS) : null;
}

/** Tell sign of an integer of either kind: -1, 0, 1. */
export function signOf(value) {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/** Set a field as a person would, so that everyone who listens hears of it. */
export function setField(input, value) {
  if (!input || input.value === value) return;
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

export function pageState() {
  return JSON.parse(document.getElementById("page-state").textContent);
}

/** Let a burst of calls become one, at most every `everyMs`; the last one is never lost. */
export function throttle(everyMs, action) {
  let timer = null;
  let again = false;
  const run = () => {
    timer = again ? setTimeout(run, everyMs) : null;
    if (again) action();
    again = false;
  };
  return () => {
    again = true;
    if (timer === null) {
      again = false;
      action();
      timer = setTimeout(run, everyMs);
    }
  };
}

/** Paint in the next frame, at most every `everyMs`; a hidden page paints nothing until it is seen again. */
export function painter(everyMs, paint) {
  let marked = false;
  let paintedAt = 0;
  const frame = (now) => {
    if (now - paintedAt < everyMs) {
      requestAnimationFrame(frame);
      return;
    }
    marked = false;
    paintedAt = now;
    paint();
  };
  return () => {
    if (marked) return;
    marked = true;
    requestAnimationFrame(frame);
  };
}
