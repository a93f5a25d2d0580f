/*
 * What was moved, in the page's address: a link opens on the cell and the primitive that somebody pointed out. Pure.
 */

/** @typedef {import("./lesson.js").Choice} Choice */
/** @typedef {import("./lesson.js").Sizes} Sizes */

const CELL = "cell"; // row,column

/** What each may be, from the least to the most. @param {Sizes} sizes @returns {[Exclude<keyof Choice, "position" | "temperature">, number, number][]} */
const limits = ({ c, m, n, rows, cols }) => [
  ["primitive", 0, n - 1],
  ["channel", 0, c - 1],
  ["a_channel", 0, m - 1],
  ["reached", 0, rows * cols - 1],
  ["terms", 1, n],
];

/** @param {string | null} text @param {number} least @param {number} most */
function whole(text, least, most) {
  const value = /^\d{1,6}$/.test(text ?? "") ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/**
 * What a query asks for; what does not fit is dropped.
 * @param {string} query
 * @param {Sizes} sizes
 * @param {number[]} temperatures that can be had
 * @returns {Partial<Choice>}
 */
export function asked(query, sizes, temperatures) {
  const given = new URLSearchParams(query);
  /** @type {Partial<Choice>} */
  const found = {};
  for (const [name, least, most] of limits(sizes)) {
    const value = whole(given.get(name), least, most);
    if (value !== undefined) found[name] = value;
  }
  const [row, col] = (given.get(CELL) ?? "").split(",");
  const [inRow, inCol] = [whole(row, 0, sizes.rows - 1), whole(col, 0, sizes.cols - 1)];
  if (inRow !== undefined && inCol !== undefined) found.position = inRow * sizes.cols + inCol;
  const temperature = temperatures.find((each) => `${each}` === given.get("temperature"));
  if (temperature !== undefined) found.temperature = temperature;
  return found;
}

/**
 * A query that asks for `choice`, as far as it is not what the lesson opens on; the cell where somebody chose it.
 * @param {Choice} choice
 * @param {Choice} opening
 * @param {Sizes} sizes
 * @param {boolean} isChosen
 */
export function written(choice, opening, sizes, isChosen) {
  const query = new URLSearchParams();
  const { position, ...others } = choice;
  if (isChosen) query.set(CELL, `${Math.floor(position / sizes.cols)},${position % sizes.cols}`);
  for (const [name, value] of Object.entries(others)) {
    if (value !== opening[/** @type {keyof Choice} */ (name)]) query.set(name, `${value}`);
  }
  return `${query}`.replace("%2C", ",");
}
