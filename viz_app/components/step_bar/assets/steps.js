// The way through a lesson. A step that is asked for is marked at once, and keys that come while Python still
// works on the one before count from where they lead.

const TURNS = { PageDown: 1, PageUp: -1 };
const QUIET_MS = 300; // after a move, before the address says so: browsers refuse to rewrite it ten times a second
const STREAMLITS = ["embed", "embed_options"];

// Streamlit may take the bar away and put it up anew between two answers: no key is lost in between.
const memory = {
  bar: null, // on screen
  gone: -Infinity, // when the last one went
  turns: [], // by keys that came while no bar was there
};
const betweenTwo = () => performance.now() - memory.gone < ANEW_MS && document.querySelector(".st-key-lesson");

// In the capturing phase: a slider would take the keys of a presenter's remote for its own.
document.addEventListener("keydown", turnByKey, true);

function turnByKey(event) {
  const by = TURNS[event.key];
  const typing = event.target?.matches?.("textarea, [contenteditable], input:not([type=range])");
  if (!by || typing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (!memory.bar && !betweenTwo()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (memory.bar?.data) memory.bar.go(memory.bar.step + by);
  else memory.turns.push(by);
}

class Steps {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
    if (!memory.bar && !betweenTwo()) memory.turns = [];
    memory.bar = this;
    this.stop = new AbortController();
    const { signal } = this.stop;
    root.addEventListener("click", (event) => this.click(event.target.closest("button")), { signal });
    addEventListener("popstate", () => this.drop(), { signal });
  }

  show(data) {
    const before = this.data;
    this.data = data;
    if (!before) this.fill();
    this.mark();
    for (const by of memory.turns.splice(0)) this.go(this.step + by);
    if (data.address !== this.address) {
      this.address = data.address;
      if (data.address !== null) this.write(data.address);
    }
  }

  get step() {
    return (this.talk.said ?? this.data).step;
  }

  fill() {
    this.root.querySelector(".steps").replaceChildren(
      ...this.data.names.map((name, k) => {
        const item = document.createElement("li");
        const button = item.appendChild(document.createElement("button"));
        button.type = "button";
        button.dataset.step = k + 1;
        button.ariaLabel = `${k + 1} ${name}`;
        button.append(`${k + 1}`);
        const word = button.appendChild(document.createElement("span"));
        word.textContent = ` ${name}`;
        return item;
      }),
    );
  }

  mark() {
    const { root, step } = this;
    const { names } = this.data;
    for (const button of root.querySelectorAll("[data-step]")) {
      if (Number(button.dataset.step) === step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    // Not `disabled`: the button would lose the focus to the page when it leads no further.
    root.querySelector(".back").ariaDisabled = step === 1;
    root.querySelector(".next").ariaDisabled = step === names.length;
  }

  click(button) {
    if (!button) return;
    if (button.dataset.step) this.go(Number(button.dataset.step));
    else this.go(this.step + (button.matches(".next") ? 1 : -1));
  }

  go(step) {
    if (step < 1 || step > this.data.names.length || step === this.step) return;
    this.talk.tell("asked", { step });
    this.mark();
  }

  // A step is a place to go back to, a move within it is not.
  write(address) {
    const stepOf = (query) => new URLSearchParams(query).get("step");
    const before = stepOf(location.search);
    const turned = before && stepOf(address) !== before;
    if (turned) {
      this.later?.();
      put("pushState", address);
      return;
    }
    this.drop();
    this.later = () => {
      this.drop();
      put("replaceState", address);
    };
    this.timer = setTimeout(this.later, QUIET_MS);
  }

  drop() {
    clearTimeout(this.timer);
    this.later = undefined;
  }

  destroy() {
    if (memory.bar === this) Object.assign(memory, { bar: null, gone: performance.now() });
    this.stop.abort();
    this.drop();
  }
}

function put(how, address) {
  const query = new URLSearchParams(address);
  const now = new URLSearchParams(location.search);
  for (const name of STREAMLITS) for (const value of now.getAll(name)) query.append(name, value);
  if (`${query}` !== `${now}`) history[how](history.state, "", `${location.pathname}?${query}`);
}

export default mounting("[data-a2-steps]", Steps);
