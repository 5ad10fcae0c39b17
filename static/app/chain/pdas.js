// Addresses that a program derives from seeds. Any bump will do: whoever could find another preimage of an address could break SHA-256.

import { sameBytes, sha256 } from "./merkle.js";

const MARKER = new TextEncoder().encode("ProgramDerivedAddress");

/** Whether the program derives this address from these seeds. */
export async function isDerived(address, { program, seeds }) {
  for (let bump = 255; bump >= 0; bump -= 1) {
    if (sameBytes(await sha256(...seeds, [bump], program, MARKER), address)) return true;
  }
  return false;
}
