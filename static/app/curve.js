// A market's day as a curve: the points that the server drew, carried on with each new price.

const STEP_MS = 1_800_000;
const WIDTH = 94;
const HEIGHT = 28;
const MARGIN = 2;

/** Return the points of a curve within its box; a flat one runs through the middle. */
export function pointsOf(values) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const room = HEIGHT - 2 * MARGIN;
  const step = WIDTH / (values.length - 1);
  return values.map((value, at) => {
    const height = MARGIN + (span ? room * (1 - (value - low) / span) : room / 2);
    return `${+(at * step).toFixed(1)},${+height.toFixed(1)}`;
  });
}

export class Curve {
  #values;
  #untilMs;

  constructor(svg) {
    this.svg = svg;
    this.#values = svg.dataset.ticks.split(",").map(Number);
    this.#untilMs = Number(svg.dataset.until);
  }

  /** Take the price in ticks at a time: the last step follows it, and a new step begins every half hour. */
  take(ticks, nowMs) {
    if (!(ticks > 0)) return;
    const values = this.#values;
    while (nowMs >= this.#untilMs + STEP_MS) {
      values.push(values.at(-1));
      values.shift();
      this.#untilMs += STEP_MS;
    }
    if (values.at(-1) === ticks && this.drawn === this.#untilMs) return;
    values[values.length - 1] = ticks;
    this.drawn = this.#untilMs;
    this.#draw();
  }

  #draw() {
    const points = pointsOf(this.#values).join(" ");
    const [first, last] = [this.#values[0], this.#values.at(-1)];
    this.svg.querySelector("polyline").setAttribute("points", points);
    this.svg.querySelector("polygon").setAttribute("points", `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
    this.svg.classList.toggle("up", last > first);
    this.svg.classList.toggle("down", last < first);
  }
}
