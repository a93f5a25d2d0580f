/*
 * The frames of the payload, decoded.
 */

/** @typedef {HTMLImageElement | ImageBitmap} Picture */

/**
 * Decodes all frames but those that are pictures already. `put` is called for each that can be shown, in any order; `come` when the first has come,
 * and once more when all have. Nothing is called any more once it is `gone`.
 * @param {(string | ImageBitmap)[]} sources
 * @param {{ put: (frame: number, image: Picture) => void, come: () => void, gone: () => boolean }} to
 */
export async function decodePictures(sources, { put, come, gone }) {
  const decode = async (/** @type {string | ImageBitmap} */ source, /** @type {number} */ frame) => {
    if (typeof source !== "string") {
      put(frame, source);
      return;
    }
    const image = new Image();
    image.src = source;
    try {
      await image.decode();
    } catch {
      return; // a frame that cannot be shown leaves its place grey; the maps stay right
    }
    if (!gone()) put(frame, image);
  };
  const [first, ...others] = sources.map(decode);
  await first;
  if (gone()) return;
  come();
  if (!others.length) return;
  await Promise.all(others);
  if (!gone()) come();
}
