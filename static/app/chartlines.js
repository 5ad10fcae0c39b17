// What an account has in a market, drawn on its chart: dashed lines with a tag at the left, and triangles for fills.

const LINE = "deskLine";
const FILLS = "deskFills";
const TAG_X = 8;
const PADDING_X = 4;
const CLOSE = "\u00d7";
const DRAGGING = ["onPressedMoveStart", "onPressedMoving", "onPressedMoveEnd"];
const FONT = { size: 11, weight: 500, family: "Inter, system-ui, sans-serif" };
const TRIANGLE = { halfWidth: 4, height: 7, gap: 3 };

function tag({ y, x, label, line }) {
  return {
    type: "text",
    attrs: { x, y, text: label, align: "left", baseline: "middle" },
    styles: {
      style: "fill",
      color: line.onColor,
      backgroundColor: line.color,
      borderRadius: 2,
      paddingLeft: PADDING_X,
      paddingRight: PADDING_X,
      paddingTop: 3,
      paddingBottom: 3,
      ...FONT,
    },
  };
}

function closeTag({ y, line }) {
  const { calcTextWidth } = globalThis.klinecharts.utils;
  const width = calcTextWidth(line.label, FONT.size, FONT.weight, FONT.family) + 2 * PADDING_X;
  return { key: CLOSE, ignoreEvent: DRAGGING, ...tag({ x: TAG_X + width + 1, y, label: CLOSE, line }) };
}

const lineOverlay = {
  name: LINE,
  totalStep: 2,
  needDefaultPointFigure: false,
  needDefaultXAxisFigure: false,
  needDefaultYAxisFigure: false,
  createPointFigures: ({ coordinates: [{ y }], bounding, overlay }) => {
    const line = overlay.extendData;
    return [
      {
        type: "line",
        attrs: { coordinates: [{ x: 0, y }, { x: bounding.width, y }] },
        styles: { style: "dashed", dashedValue: [4, 3], size: 1, color: line.color },
      },
      tag({ x: TAG_X, y, label: line.label, line }),
      ...(line.onClosed ? [closeTag({ y, line })] : []),
    ];
  },
  createYAxisFigures: ({ coordinates: [{ y }], overlay }) => ({
    ...tag({ x: 0, y, label: overlay.extendData.price(overlay.points[0].value), line: overlay.extendData }),
    ignoreEvent: true,
  }),
};

function triangle({ x, y }, side) {
  const { halfWidth, height, gap } = TRIANGLE;
  const away = side === "buy" ? 1 : -1;
  const tip = y + away * gap;
  const base = tip + away * height;
  return [{ x, y: tip }, { x: x - halfWidth, y: base }, { x: x + halfWidth, y: base }];
}

const fillsOverlay = {
  name: FILLS,
  totalStep: 2,
  needDefaultPointFigure: false,
  needDefaultXAxisFigure: false,
  needDefaultYAxisFigure: false,
  createPointFigures: ({ coordinates, overlay }) =>
    coordinates.map((coordinate, index) => {
      const { side, colors } = overlay.extendData[index];
      return {
        type: "polygon",
        ignoreEvent: true,
        attrs: { coordinates: triangle(coordinate, side) },
        styles: { style: "stroke_fill", color: colors.fill, borderColor: colors.edge, borderSize: 1 },
      };
    }),
};

export function registerLines(klinecharts) {
  klinecharts.registerOverlay(lineOverlay);
  klinecharts.registerOverlay(fillsOverlay);
}

/** Return the overlay of a line {id, value, label, color, onColor, price, onGrabbed?, onMoved?, onClosed?}. */
export function lineFigure(line) {
  return {
    id: line.id,
    name: LINE,
    groupId: "lines",
    lock: !line.onMoved,
    points: [{ value: line.value }],
    extendData: line,
    onClick: ({ figure }) => figure?.key === CLOSE && line.onClosed(),
    onPressedMoveStart: line.onMoved ? line.onGrabbed : null,
    onPressedMoveEnd: line.onMoved ? ({ overlay }) => line.onMoved(overlay.points[0].value) : null,
  };
}

/** Return the overlay of fills {timestamp, value, side, colors}. */
export function fillFigures(fills) {
  return {
    id: "fills",
    name: FILLS,
    groupId: "fills",
    lock: true,
    points: fills.map(({ timestamp, value }) => ({ timestamp, value })),
    extendData: fills,
  };
}
