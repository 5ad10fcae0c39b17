// Keys that change a form or open a dialog; none of them trades. They are silent while someone types.

const EDITABLE = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]";

function typing(target) {
  return target instanceof Element && target.closest(EDITABLE) !== null;
}

/** Call `actions[key]` for a single key, and `actions["ctrl+k"]` for a chord; a true result means it was used. */
export function startHotkeys(actions) {
  document.addEventListener("keydown", (event) => {
    const chord = event.ctrlKey || event.metaKey;
    if (event.defaultPrevented || event.altKey || event.isComposing || event.repeat) return;
    if (!chord && (typing(event.target) || document.querySelector("dialog[open]"))) return;
    const action = actions[(chord ? "ctrl+" : "") + event.key.toLowerCase()];
    if (action?.()) event.preventDefault();
  });
}
