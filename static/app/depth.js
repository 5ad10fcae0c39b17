// The depth view: what could be bought or sold down to each price, as two step areas around the middle.

import { painter } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const PAINT_EVERY_MS = 250;
const LEVELS = 50;
const PADDING = { top: 24, bottom: 24 };
const LABELS = 5;

function element(name, attributes) {
  const created = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, value);
  return created;
}

/** Return the path of a step area over points {x, y}, from the middle outwards, closed at `base`. */
export function stepPath(points, base) {
  if (!points.length) return "";
  const steps = points.map(({ x, y }, index) => `${index ? `H${x}` : `M${x} ${base}`}V${y}`);
  return `${steps.join("")}V${base}Z`;
}

export class Depth {
  constructor({ mount, units, levels }) {
    Object.assign(this, { mount, units, levels });
    this.svg = element("svg", { width: "100%", height: "100%", "aria-hidden": "true" });
    this.areas = { buy: this.#area("up"), sell: this.#area("down") };
    this.cursor = element("line", { stroke: "var(--muted)", "stroke-dasharray": "3 3", visibility: "hidden" });
    this.labels = Array.from({ length: LABELS }, () => this.#label("middle"));
    this.note = this.#label("middle");
    this.svg.append(this.cursor);
    mount.append(this.svg);
    this.mark = painter(PAINT_EVERY_MS, () => this.#paint());
    mount.addEventListener("pointermove", (event) => this.#point(event));
    mount.addEventListener("pointerleave", () => this.#point(null));
    new ResizeObserver(this.mark).observe(mount);
  }

  #area(tone) {
    const path = element("path", { fill: `var(--${tone}-soft)`, stroke: `var(--${tone})`, "stroke-width": 1.5 });
    this.svg.append(path);
    return path;
  }

  #label(anchor) {
    const text = element("text", { fill: "var(--muted)", "font-size": 11, "text-anchor": anchor });
    this.svg.append(text);
    return text;
  }

  #rows(side) {
    return this.levels.rows(side, { group: 1, count: LEVELS });
  }

  #paint() {
    const box = this.mount.getBoundingClientRect();
    const sides = { buy: this.#rows("buy"), sell: this.#rows("sell") };
    if (!box.width || !sides.buy.length || !sides.sell.length) return;
    this.scale = this.#scaled(box, sides);
    for (const side of ["buy", "sell"]) {
      const points = sides[side].map(({ ticks, total }) => ({ x: this.scale.x(ticks), y: this.scale.y(total) }));
      const edge = points.at(-1);
      const outer = { x: side === "buy" ? 0 : box.width, y: edge.y };
      this.areas[side].setAttribute("d", stepPath([...points, outer], this.scale.base));
    }
    this.#paintLabels(box);
  }

  #scaled(box, { buy, sell }) {
    const middle = (buy[0].ticks + sell[0].ticks) / 2;
    const reach = Math.max(middle - buy.at(-1).ticks, sell.at(-1).ticks - middle, 1);
    const deepest = Math.max(buy.at(-1).total, sell.at(-1).total);
    const base = box.height - PADDING.bottom;
    return {
      base,
      sides: { buy, sell },
      middle,
      x: (ticks) => Math.round((0.5 + (ticks - middle) / (2 * reach)) * box.width),
      y: (total) => Math.round(base - (total / deepest) * (base - PADDING.top)),
      ticks: (x) => Math.round(middle + (x / box.width - 0.5) * 2 * reach),
    };
  }

  #paintLabels({ width, height }) {
    this.labels.forEach((label, index) => {
      const x = ((index + 0.5) / LABELS) * width;
      label.setAttribute("x", x);
      label.setAttribute("y", height - 8);
      label.textContent = this.units.price.format(this.scale.ticks(x));
    });
  }

  #point(event) {
    this.cursor.setAttribute("visibility", event && this.scale ? "visible" : "hidden");
    this.note.textContent = "";
    if (!event || !this.scale) return;
    const box = this.mount.getBoundingClientRect();
    const x = event.clientX - box.left;
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: PADDING.top, y2: this.scale.base })) {
      this.cursor.setAttribute(name, value);
    }
    this.note.setAttribute("x", Math.min(Math.max(x, 110), box.width - 110));
    this.note.setAttribute("y", 16);
    this.note.textContent = this.#sentence(this.scale.ticks(x));
  }

  #sentence(ticks) {
    const side = ticks < this.scale.middle ? "buy" : "sell";
    const within = (row) => (side === "buy" ? row.ticks >= ticks : row.ticks <= ticks);
    const total = this.scale.sides[side].filter(within).at(-1)?.total ?? 0;
    const word = side === "buy" ? "Bids" : "Asks";
    return `${word} to ${this.units.price.format(ticks)}: ${this.units.size.format(total)} ${this.units.base}`;
  }
}

/** Let the chart panel's buttons choose between price and depth; `depth` is painted only while it is seen. */
export function startDepth({ root, depth }) {
  const buttons = [...root.querySelectorAll("[data-chart-view]")];
  for (const button of buttons) button.hidden = false;
  root.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-chart-view]");
    if (!chosen) return;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
    const deep = chosen.dataset.chartView === "depth";
    depth.mount.hidden = !deep;
    root.querySelector("[data-chart-canvas]").hidden = deep;
    depth.mark();
  });
}
