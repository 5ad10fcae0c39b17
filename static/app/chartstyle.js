// The chart in the page's colours.

const FAMILY = "Inter, system-ui, sans-serif";
const SIZE = 11;

const VOLUME_OPACITY = "47"; // 28 %, as the last two digits of #rrggbbaa

const LEGEND = [
  ["", "{time}"],
  ["O ", "{open}"],
  ["H ", "{high}"],
  ["L ", "{low}"],
  ["C ", "{close}"],
  ["V ", "{volume}"],
].map(([title, value]) => ({ title, value }));

function faint(hex) {
  return /^#[0-9a-f]{6}$/i.test(hex) ? hex + VOLUME_OPACITY : hex;
}

function text(color) {
  return { color, size: SIZE, family: FAMILY, weight: 400 };
}

function candle(colour) {
  const direction = {
    upColor: colour("up"),
    downColor: colour("down"),
    noChangeColor: colour("muted"),
  };
  const edges = Object.fromEntries(
    ["Border", "Wick"].flatMap((part) => [
      [`up${part}Color`, direction.upColor],
      [`down${part}Color`, direction.downColor],
      [`noChange${part}Color`, direction.noChangeColor],
    ]),
  );
  const extreme = { color: colour("muted"), textSize: SIZE, textFamily: FAMILY };
  return {
    bar: { ...direction, ...edges },
    priceMark: {
      high: extreme,
      low: extreme,
      last: { ...direction, text: { ...text(colour("on-fill")), weight: 500, borderRadius: 2 } },
    },
    tooltip: {
      title: { show: false },
      legend: { ...text(colour("muted")), defaultValue: "\u2014", template: LEGEND },
    },
  };
}

function lines(colour) {
  return ["action", "warning", "up", "down", "muted"].map((name) => ({
    style: "solid",
    smooth: false,
    size: 1,
    dashedValue: [2, 2],
    color: colour(name),
  }));
}

function axis(colour) {
  return {
    axisLine: { show: false },
    tickLine: { show: false },
    tickText: text(colour("muted")),
  };
}

function crosshair(colour) {
  const line = { color: colour("muted"), style: "dashed", dashedValue: [3, 3] };
  const label = { ...text(colour("text")), backgroundColor: colour("field"), borderColor: colour("hairline"), borderRadius: 2 };
  return { horizontal: { line, text: label }, vertical: { line, text: label } };
}

function overlays(colour) {
  const action = colour("action");
  return {
    point: { color: action, borderColor: colour("action-soft"), activeColor: action, activeBorderColor: colour("action-soft") },
    line: { color: action },
    polygon: { color: colour("action-soft"), borderColor: action },
    text: { ...text(colour("on-fill")), backgroundColor: action, borderColor: action, borderRadius: 2 },
  };
}

/** Return klinecharts' styles; `colour(name)` gives the value of --name. */
export function chartStyles(colour) {
  const grid = { color: colour("grid"), style: "solid", size: 1 };
  const volume = { upColor: faint(colour("up")), downColor: faint(colour("down")), noChangeColor: faint(colour("muted")) };
  return {
    grid: { horizontal: grid, vertical: { ...grid, show: false } },
    candle: candle(colour),
    indicator: {
      bars: [volume],
      lines: lines(colour),
      tooltip: { title: text(colour("muted")), legend: { ...text(colour("muted")), defaultValue: "\u2014" } },
    },
    xAxis: axis(colour),
    yAxis: axis(colour),
    separator: { color: colour("hairline"), activeBackgroundColor: colour("field") },
    crosshair: crosshair(colour),
    overlay: overlays(colour),
  };
}

/** Return the styles that show legends always, or only beside the crosshair where there is little room. */
export function legends({ always }) {
  const tooltip = { showRule: always ? "always" : "follow_cross" };
  return { candle: { tooltip }, indicator: { tooltip } };
}
