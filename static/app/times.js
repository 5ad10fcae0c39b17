// Local times; UTC on hover.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(number) {
  return String(number).padStart(2, "0");
}

/** 16:41:59 */
export function clock(ms) {
  const at = new Date(Number(ms));
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** 22 Nov 16:41:59 */
export function dateTime(ms) {
  const at = new Date(Number(ms));
  return `${at.getDate()} ${MONTHS[at.getMonth()]} ${clock(ms)}`;
}

/** 2026-11-22 16:41:59.123 UTC */
export function utc(ms) {
  return `${new Date(Number(ms)).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** 18:22, or 1:02:03 from an hour on; never negative. */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}

/** Turn the server's UTC texts under `root` into local ones. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[data-ms]")) {
    time.textContent = time.dataset.format === "datetime" ? dateTime(time.dataset.ms) : clock(time.dataset.ms);
    time.title = utc(time.dataset.ms);
  }
}
