// Native dialogs: opened and closed by buttons, by the server, and by a click beside them.

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
  return dialog;
}

export function closeDialog(id) {
  document.getElementById(id)?.close();
}

function beside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

function clicked(event) {
  const opener = event.target.closest("[data-open-dialog]");
  if (opener) {
    event.preventDefault();
    openDialog(opener.dataset.openDialog);
  } else if (event.target.closest("[data-close-dialog]")) {
    event.target.closest("dialog")?.close();
  }
}

// A press that starts inside and ends outside, as when text is selected, closes nothing.
function pressed(event) {
  if (event.target instanceof HTMLDialogElement && event.target.open && beside(event.target, event)) event.target.close();
}

export function startDialogs() {
  document.addEventListener("click", clicked);
  document.addEventListener("pointerdown", pressed);
  document.addEventListener("dialog:open", ({ detail }) => openDialog(detail.id));
  document.addEventListener("dialog:close", ({ detail }) => closeDialog(detail.id));
}
