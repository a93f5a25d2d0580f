/*
 * The frames of the payload, decoded.
 */

/**
 * Decodes all frames. `put` is called for each that can be shown, in any order; `come` when the first has come,
 * and once more when all have. Nothing is called any more once it is `gone`.
 * @param {string[]} sources
 * @param {{ put: (frame: number, image: HTMLImageElement) => void, come: () => void, gone: () => boolean }} to
 */
export async function decodePictures(sources, { put, come, gone }) {
  const decode = async (/** @type {string} */ source, /** @type {number} */ frame) => {
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
