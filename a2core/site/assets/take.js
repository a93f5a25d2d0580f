/*
 * What can be taken away: the page of what is on screen, which works from a disk, and a link to the sample as it is
 * shown. The picture as a PNG is the canvas's own.
 */

import { inLanguage } from "./site.js";
import { LANGUAGE, LINK } from "./words.js";

/** @typedef {Record<string, unknown>} View */

const HELD = "a2-data"; // the script element of the page that holds what it shows

/** JSON that cannot end the script element it stands in. @param {unknown} value */
const safe = (value) =>
  JSON.stringify(value).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * The page of a2core/canvas/page.py with another picture in it.
 * @param {string} page as it was built, around nothing
 * @param {{ payload: object, title: string }} shown
 * @param {View} view
 */
export function filled(page, { payload, title }, view) {
  const opening = `<script type="application/json" id="${HELD}">`;
  const start = page.indexOf(opening) + opening.length;
  const end = page.indexOf("</script>", start);
  const told = JSON.parse(page.slice(start, end));
  const data = safe({ ...told, payload, view });
  const head = page.slice(0, start).replaceAll("A2-TITLE", () => escaped(title));
  return head + data + page.slice(end);
}

/** @param {{ payload: import("./site.js").Payload, title: string }} shown @param {View} view */
export async function savePage(shown, view) {
  const answer = await fetch(inLanguage("page.html", LANGUAGE));
  if (!answer.ok) throw new Error("unreachable");
  const html = filled(await answer.text(), shown, view);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([html], { type: "text/html" }));
  link.download = `${shown.title.replace(/\.\w+$/, "").replace(/[^\w-]+/g, "-") || "attention"}.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it meanwhile
}

/** What the address asks to be shown of the sample. @returns {View | null} */
export function viewInAddress() {
  try {
    const view = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    return view && typeof view === "object" ? view : null;
  } catch {
    return null;
  }
}

/** Puts the view into the address, and copies that. @param {View | null} view null: of a picture that no link holds */
export async function asLink(view) {
  if (!view) return LINK.own;
  location.replace(`#${encodeURIComponent(JSON.stringify(view))}`);
  try {
    await navigator.clipboard.writeText(location.href);
    return LINK.copied;
  } catch {
    return LINK.refused;
  }
}
