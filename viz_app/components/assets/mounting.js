/*
 * How a component is mounted, and what it and Python tell each other: the browser's half of the protocol that
 * viz_app/components/runtime.py describes. It stands before the component's own script.
 */

const ANEW_MS = 1000; // Streamlit may take a component away and put it up anew between two answers

/**
 * What a person did in one component and Python has not overruled. `said` are the fields that were told or will
 * be, null where nothing was done about this identity and revision.
 */
class Talk {
  said = null;
  untold = false;
  mounts = 0;
  gone = 0;

  /** The talk of the component `key`: that of the one it takes the place of, or a new one. */
  static of(key) {
    let talk = Talk.all.get(key);
    if (!talk || (!talk.mounts && performance.now() - talk.gone > ANEW_MS)) talk = new Talk();
    Talk.all.set(key, talk);
    talk.mounts += 1;
    return talk;
  }

  leave() {
    this.mounts -= 1;
    this.gone = performance.now();
  }

  /** Takes in what Python hands over: about something else, or for another time, it counts and not what was said. */
  hear({ identity, revision }, setStateValue, setTriggerValue) {
    Object.assign(this, { setStateValue, setTriggerValue });
    if (identity === this.identity && revision === this.revision) return;
    Object.assign(this, { identity, revision, said: null, untold: false });
  }

  /** Notes what a person did, to be shown at once and told later. */
  say(fields) {
    this.said = fields;
    this.untold = true;
  }

  /** Tells Python, as the state `name`, what a person did: `fields`, or what was said before. */
  tell(name, fields = this.said) {
    this.setStateValue(name, this.report(fields));
  }

  /** The same once, as a trigger: Python hears of it in one run only. */
  trigger(name, fields) {
    this.setTriggerValue(name, this.report(fields));
  }

  report(fields) {
    this.said = fields;
    this.untold = false;
    return { ...fields, identity: this.identity, revision: this.revision };
  }
}
Talk.all = new Map();

/** What was sent apart from the components that show it, by identity; the same for all scripts on the page. */
class Parcels extends EventTarget {
  held = new Map();

  hold(identity, content) {
    this.held.set(identity, content);
    this.dispatchEvent(new Event("come"));
  }

  drop(identity, content) {
    if (this.held.get(identity) === content) this.held.delete(identity);
  }

  /** Calls `take` with the content, now or when it has come; returns what ends the waiting. */
  when(identity, take) {
    const wait = new AbortController();
    const look = () => {
      if (!this.held.has(identity)) return;
      wait.abort();
      take(this.held.get(identity));
    };
    this.addEventListener("come", look, { signal: wait.signal });
    look();
    return () => wait.abort();
  }
}
const parcels = (globalThis.a2Parcels ??= new Parcels());

/**
 * A component's default export: one `App` for the element `selector` of each place on the page. Its markup is
 * invisible, and nobody's keys and pointers reach it, until the `App` has shown something: whatever is seen has
 * its words, and listens. An `App` whose `show` returns false has nothing to show yet and makes itself visible.
 * Streamlit calls it again whenever the data or the theme changes, into the same parent, and may call the
 * clean-up of a call that was overtaken: only the latest call's clean-up counts.
 */
function mounting(selector, App) {
  const mounted = new WeakMap();
  const drop = (parentElement, { app, talk }) => {
    app.destroy();
    talk.leave();
    mounted.delete(parentElement);
  };
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    const root = parentElement.querySelector(selector);
    let entry = mounted.get(parentElement);
    if (entry && entry.root !== root) {
      drop(parentElement, entry);
      entry = undefined;
    }
    if (!entry) {
      const talk = Talk.of(data.key);
      entry = { root, talk, app: new App(root, talk), calls: 0 };
      mounted.set(parentElement, entry);
    }
    entry.talk.hear(data, setStateValue, setTriggerValue);
    if (entry.app.show(data, entry.talk.said) !== false) root.style.visibility = "";
    const call = ++entry.calls;
    return () => {
      if (entry.calls !== call || mounted.get(parentElement) !== entry) return;
      drop(parentElement, entry);
    };
  };
}

