/*
 * The probe canvas in the app: a thin frame that takes its parcel and what changes, and tells what a person did.
 */

/** The canvas in the app: its payload comes as a parcel, once; what changes comes beside it. */
class Canvas {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
  }

  show(data, said) {
    this.ignore?.();
    this.ignore = parcels.when(data.identity, (payload) => {
      const given = withMeasured(payload, data);
      if (this.app) this.app.update(given, data.view);
      else this.app = a2Canvas.mount(this.root, given, { view: goneOnFrom(data.view, said), ...this.telling() });
    });
  }

  telling() {
    const tell = (report) => this.talk.tell("probe", report);
    return { onPin: tell, onView: tell };
  }

  destroy() {
    this.ignore?.();
    this.app?.destroy();
  }
}

/** The payload with what was measured of its blocks since it was sent, and what can be. */
function withMeasured(payload, { measures, effects }) {
  const blocks = payload.blocks.map((raw) => (raw.name in effects ? { ...raw, effect: effects[raw.name] } : raw));
  return { ...payload, measures, blocks };
}

/** A view as a person left it: where the canvas is put up anew between two answers. */
function goneOnFrom(view, said) {
  if (!said) return view;
  const { block, t, row, col, primitive, pinned } = said;
  return { ...view, ...said.view, block, probe: [t, row, col], primitive, pinned };
}

export default mounting("[data-a2-root]", Canvas);
