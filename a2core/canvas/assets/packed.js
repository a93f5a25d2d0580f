/*
 * Arrays as the payload holds them: base64 of numbers, with a scale for each row of them.
 */

import vocabulary from "../vocabulary.json" with { type: "json" };

/**
 * Maps as contract 2 of docs/architecture.md has them; of a camera, whose frames no file holds, the numbers themselves.
 * @typedef {{ data: string | Float32Array, scale: number[] }} Packed
 */

/** @param {Packed["data"]} base64 */
function bytesOf(base64) {
  if (typeof base64 !== "string") throw new TypeError("numbers where packed ones are due");
  const native = /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (Uint8Array);
  if (typeof native.fromBase64 === "function") return native.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * uint16 maps with one scale each -> Float32Array (n, N), row major.
 * @param {Packed} packed
 * @param {number} n
 * @param {number} N
 */
export function decodeMaps(packed, n, N) {
  if (typeof packed.data !== "string") return packed.data;
  const bytes = bytesOf(packed.data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(n * N);
  for (let i = 0; i < n; i++) {
    const unit = packed.scale[i] / vocabulary.levels;
    for (let j = i * N, end = j + N; j < end; j++) out[j] = view.getUint16(2 * j, true) * unit;
  }
  return out;
}

/**
 * int16 rows with one scale each -> Float32Array (n, N), row major: value = data * scale / 32767, -32768 being -∞.
 * @param {Packed} packed
 * @param {number} n
 * @param {number} N
 */
export function decodeSigned(packed, n, N) {
  const bytes = bytesOf(packed.data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(n * N);
  for (let i = 0; i < n; i++) {
    const unit = packed.scale[i] / vocabulary.signed_levels;
    for (let j = i * N, end = j + N; j < end; j++) {
      const level = view.getInt16(2 * j, true);
      out[j] = level < -vocabulary.signed_levels ? Number.NEGATIVE_INFINITY : level * unit;
    }
  }
  return out;
}

/** int32, little endian. @param {string} base64 */
export function decodeIntegers(base64) {
  const bytes = bytesOf(base64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
}

/** float32, little endian. @param {string} base64 */
export function decodeFloats(base64) {
  const bytes = bytesOf(base64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
