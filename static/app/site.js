// Every page: theme, dialogs, confirmations, toasts, local times, the market menu.

import { startConfirm } from "./confirm.js";
import { startCopy } from "./copy.js";
import { startDialogs } from "./dialog.js";
import { startFailures } from "./failures.js";
import { startHotkeys } from "./hotkeys.js";
import { openMenu, startMenu } from "./menu.js";
import { startMenus } from "./menus.js";
import { startRanges } from "./range.js";
import { startShown } from "./shown.js";
import { startTheme } from "./theme.js";
import { localise } from "./times.js";
import { startToasts } from "./toast.js";

startTheme();
startShown();
startRanges();
startMenus(); // before dialogs: a menu that opens one gives the focus back first
startDialogs();
startConfirm();
startToasts();
startCopy();
startMenu();
startFailures();
startHotkeys({ "/": openMenu, "ctrl+k": openMenu });
localise(document);
document.addEventListener("htmx:after:swap", () => localise(document));
