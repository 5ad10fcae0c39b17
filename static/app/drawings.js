// What a person draws on the chart: kept in this browser, for each market.

const GROUP = "drawings";
const KEY = "qd.drawings";

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch (error) {
    console.warn("The stored drawings cannot be read; the chart starts without.", error);
    return {};
  }
}

export class Drawings {
  #begun = null;
  #selected = null;

  /** `chart` is klinecharts' own; `market` is whose drawings these are. */
  constructor({ chart, market }) {
    Object.assign(this, { chart, market });
    for (const drawing of stored()[market] ?? []) this.chart.createOverlay(this.#overlay(drawing));
  }

  /** Let the next presses on the chart be the points of a figure, such as a segment. */
  start(name) {
    this.stop();
    this.#begun = this.chart.createOverlay(this.#overlay({ name }));
  }

  /** Give up the figure that is being drawn; returns whether there was one. */
  stop() {
    const begun = this.#begun;
    this.#begun = null;
    if (begun) this.chart.removeOverlay({ id: begun });
    return begun !== null;
  }

  /** Take away the figure that is selected; returns whether one was. */
  removeSelected() {
    const selected = this.#selected;
    if (selected) this.chart.removeOverlay({ id: selected });
    return selected !== null;
  }

  clear() {
    this.chart.removeOverlay({ groupId: GROUP });
    this.#keep();
  }

  #overlay({ name, points }) {
    return {
      name,
      points,
      groupId: GROUP,
      onDrawEnd: () => this.#drawn(),
      onPressedMoveEnd: () => this.#keep(),
      onSelected: ({ overlay }) => (this.#selected = overlay.id),
      onDeselected: ({ overlay }) => this.#deselected(overlay),
      onRemoved: ({ overlay }) => this.#removed(overlay),
    };
  }

  #deselected({ id }) {
    if (this.#selected === id) this.#selected = null;
  }

  #drawn() {
    this.#begun = null;
    this.#keep();
  }

  #removed({ id }) {
    if (this.#begun === id) this.#begun = null;
    if (this.#selected === id) this.#selected = null;
    this.#keep();
  }

  // A figure is gone from the chart's list only after its onRemoved.
  #keep() {
    queueMicrotask(() => {
      const drawn = this.chart.getOverlays({ groupId: GROUP }).filter(({ id }) => id !== this.#begun);
      const figures = drawn.map(({ name, points }) => ({ name, points: points.map(({ timestamp, value }) => ({ timestamp, value })) }));
      localStorage.setItem(KEY, JSON.stringify({ ...stored(), [this.market]: figures }));
    });
  }
}
