// Buttons that copy: <button data-copy="#element">; the button says so for a moment.

const SAID_MS = 1500;

async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), SAID_MS);
}

export function startCopy() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy]");
    if (button && button.textContent !== "Copied") copy(button);
  });
}
