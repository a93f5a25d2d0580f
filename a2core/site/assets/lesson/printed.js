/*
 * Numbers as the lesson prints them: what `a2core/lesson/numbers.py` says of the same ones.
 */

const DIGITS = 4;

/** To four significant digits, as Python's "#.4g". @param {number} value */
export function four(value) {
  const [mantissa, power] = value.toExponential(DIGITS - 1).split("e");
  const exponent = Number(power);
  const text =
    exponent < -4 || exponent >= DIGITS
      ? `${mantissa}e${exponent < 0 ? "-" : "+"}${`${Math.abs(exponent)}`.padStart(2, "0")}`
      : value.toFixed(DIGITS - 1 - exponent) + (exponent === DIGITS - 1 ? "." : "");
  return text.replaceAll("-", "−");
}

/** A count or an index. @param {number} value */
export const whole = (value) => value.toLocaleString("en-US");

/** A temperature beside its slider. @param {number} value */
export const temperature = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 10 });
