/**
 * A component's default export: one `App` for the element `selector` of each place on the page.
 * Streamlit calls it again whenever the data or the theme changes, into the same parent, and may call the
 * clean-up of a call that was overtaken: only the latest call's clean-up counts.
 */
function mounting(selector, App) {
  const mounted = new WeakMap();
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    const root = parentElement.querySelector(selector);
    let entry = mounted.get(parentElement);
    if (entry && entry.root !== root) {
      entry.app.destroy();
      entry = undefined;
    }
    if (!entry) {
      entry = { root, app: new App(root), calls: 0 };
      mounted.set(parentElement, entry);
    }
    entry.app.show(data, setStateValue, setTriggerValue);
    const call = ++entry.calls;
    return () => {
      if (entry.calls !== call || mounted.get(parentElement) !== entry) return;
      entry.app.destroy();
      mounted.delete(parentElement);
    };
  };
}

