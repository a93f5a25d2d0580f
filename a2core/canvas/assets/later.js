/*
 * Messages that may come too fast.
 */

/**
 * Runs at once, then at most every `wait_ms`, always ending with the latest value.
 * @template Value
 * @param {(value: Value) => void} send
 * @param {number} wait_ms
 */
export function latest(send, wait_ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {{ value: Value } | null} */
  let waiting = null;
  const tick = () => {
    timer = undefined;
    if (!waiting) return;
    const { value } = waiting;
    waiting = null;
    timer = setTimeout(tick, wait_ms);
    send(value);
  };
  return {
    now(/** @type {Value} */ value) {
      waiting = { value };
      if (!timer) tick();
    },
    later(/** @type {Value} */ value) {
      waiting = { value };
      clearTimeout(timer);
      timer = setTimeout(tick, wait_ms);
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
      waiting = null;
    },
  };
}
