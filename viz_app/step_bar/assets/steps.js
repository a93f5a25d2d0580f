// The way through a lesson. A step that is asked for is marked at once, and keys that come while Python still
// works on the one before count from where they lead.

const TURNS = { PageDown: 1, PageUp: -1 };
const QUIET_MS = 300; // after a move, before the address says so: browsers refuse to rewrite it ten times a second
const STREAMLITS = ["embed", "embed_options"];

class Steps {
  constructor(root) {
    this.root = root;
    this.asked = []; // steps on their way to Python and back
    this.stop = new AbortController();
    const { signal } = this.stop;
    root.addEventListener("click", (event) => this.click(event.target.closest("button")), { signal });
    // In the capturing phase: a slider would take the keys of a presenter's remote for its own.
    document.addEventListener("keydown", (event) => this.key(event), { capture: true, signal });
    addEventListener("popstate", () => this.drop(), { signal });
  }

  show(data, send) {
    const before = this.data;
    this.data = data;
    this.send = send;
    // An answer to something else, which still has the step before, is no news.
    const echo = this.asked.indexOf(data.step);
    if (echo >= 0) this.asked.splice(0, echo + 1);
    else if (before?.step !== data.step) this.asked = [];
    if (!before) this.fill();
    this.mark();
    if (data.address !== this.address) {
      this.address = data.address;
      if (data.address !== null) this.write(data.address);
    }
  }

  get step() {
    return this.asked.at(-1) ?? this.data.step;
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
    const { names, presenting } = this.data;
    for (const button of root.querySelectorAll("[data-step]")) {
      if (Number(button.dataset.step) === step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    // Not `disabled`: the button would lose the focus to the page when it leads no further.
    root.querySelector(".back").ariaDisabled = step === 1;
    root.querySelector(".next").ariaDisabled = step === names.length;
    root.querySelector(".present").ariaChecked = presenting;
    root.toggleAttribute("data-presenting", presenting);
  }

  click(button) {
    if (!button) return;
    if (button.dataset.step) this.go(Number(button.dataset.step));
    else if (button.matches(".present")) this.tell(this.step, !this.data.presenting);
    else this.go(this.step + (button.matches(".next") ? 1 : -1));
  }

  key(event) {
    const by = TURNS[event.key];
    const typing = event.target?.matches?.("textarea, [contenteditable], input:not([type=range])");
    if (!by || typing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.go(this.step + by);
  }

  go(step) {
    if (step < 1 || step > this.data.names.length || step === this.step) return;
    this.asked.push(step);
    this.mark();
    this.tell(step, this.data.presenting);
  }

  // With the time, so that no two questions are equal: Python hears of a change only.
  tell(step, presenting) {
    this.send("asked", { step, presenting, at: performance.timeOrigin + performance.now() });
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
