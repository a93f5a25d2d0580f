// The camera live, and a button that records some seconds of it and sends them to Python, once.

const KINDS = ["video/webm;codecs=vp8", "video/webm", "video/mp4"]; // VP8: the least work for a small computer
const BITS_PER_S = 4_000_000;
const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };
// Of a phone's cameras the one that looks at what its holder looks at, until another is chosen.
const FIRST = { facingMode: { ideal: "environment" } };

class Recorder {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
    [this.live, this.said, this.act, this.other] = ["video", ".said", ".act", ".other"].map((part) => root.querySelector(part));
    this.wanted = FIRST;
    this.cameras = []; // ids of all that the device has: told once leave is given
    this.live.muted = true; // or it may not start by itself
    this.act.addEventListener("click", () => this.press());
    this.other.textContent = WORDS.other;
    this.other.addEventListener("click", () => this.turn());
  }

  show(data) {
    const first = !this.data;
    this.data = data;
    if (first) this.open();
  }

  enter(state, said, act = "") {
    this.root.dataset.state = state;
    this.said.textContent = said;
    this.act.textContent = act;
    this.act.disabled = !act;
    this.other.hidden = state !== "ready" || this.cameras.length < 2;
  }

  press() {
    const { state } = this.root.dataset;
    if (state === "ready") this.record();
    else if (state === "starting" || state === "recording") this.end();
    else if (state === "refused") this.open();
  }

  async open() {
    this.enter("asking", WORDS.waiting);
    const lacking = whatIsLacking();
    if (lacking) return this.enter("impossible", WORDS.instead(lacking));
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...SIZE, ...this.wanted } });
    } catch (error) {
      if (error.name === "OverconstrainedError" && this.wanted !== FIRST) { // unplugged since it was listed
        this.wanted = FIRST;
        return this.open();
      }
      const framed = error.name === "NotAllowedError" && window.self !== window.top;
      const said = WORDS.refusals[framed ? "Framed" : error.name] || WORDS.notStarted(error.name);
      return this.refuse(said);
    }
    this.stream = stream;
    if (this.gone) return this.switchOff(); // closed while the browser asked
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => this.lose()); // unplugged, or leave taken back: not by us
    }
    this.live.srcObject = stream;
    await this.count();
    if (this.stream === stream) this.ready(); // not closed, nor taken away, since
  }

  async count() {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []); // one will do
    this.cameras = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
  }

  /** To the next camera of the device. A phone lends one at a time: the one in use is given back first. */
  async turn() {
    const used = this.cameras.indexOf(this.stream.getVideoTracks()[0].getSettings().deviceId);
    this.wanted = { deviceId: { exact: this.cameras[(used + 1) % this.cameras.length] } };
    this.switchOff();
    await this.open();
    if (!this.other.hidden) this.other.focus(); // it was hidden while the camera came
  }

  ready() {
    this.enter("ready", WORDS.ready(this.data.seconds), WORDS.record);
  }

  async record() {
    this.enter("starting", WORDS.starting, WORDS.stop);
    // Where something else had the camera when we were lent it, as Streamlit's own for photos, Chromium records
    // at that one's size until it is asked again: six megapixels, of which a small computer records hardly any.
    await this.stream.getVideoTracks()[0].applyConstraints({ ...SIZE, ...this.wanted }).catch(() => {}); // refused: as they come
    if (!this.stream) return; // closed, or taken away
    const pieces = [];
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.recorder = new MediaRecorder(this.stream, { mimeType, videoBitsPerSecond: BITS_PER_S });
    this.recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    this.recorder.addEventListener("start", () => this.begin());
    this.recorder.addEventListener("stop", () => this.deliver(new Blob(pieces)));
    this.begun = false;
    this.recorder.start();
  }

  /** The recorder has its first picture: on a busy computer a second after the press. The seconds count from here. */
  begin() {
    if (this.recorder.state !== "recording") return; // stopped before that: browsers then say so belatedly
    this.begun = true;
    this.root.style.setProperty("--lasts", `${this.data.seconds}s`);
    this.enter("recording", WORDS.recording, WORDS.stop);
    this.timer = setTimeout(() => this.end(), 1000 * this.data.seconds);
  }

  end() {
    clearTimeout(this.timer);
    if (this.recorder?.state === "recording") this.recorder.stop();
  }

  async deliver(file) {
    clearTimeout(this.timer);
    this.switchOff();
    if (this.gone) return;
    if (!this.begun || file.size === 0) {
      return this.refuse(WORDS.nothing);
    }
    if (file.size > this.data.mostBytes) return this.refuse(WORDS.tooLarge);
    this.enter("sending", WORDS.reading);
    const url = await asDataUrl(file);
    if (!this.gone) this.talk.trigger("clip", { data: url.slice(url.indexOf(",") + 1) });
  }

  lose() {
    // What was recorded until then is delivered, by the recorder's own end.
    if (!["ready", "starting"].includes(this.root.dataset.state)) return;
    this.switchOff();
    this.refuse(WORDS.gone);
  }

  refuse(said) {
    if (!this.gone) this.enter("refused", said, WORDS.again);
  }

  switchOff() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.live.srcObject = null;
  }

  destroy() {
    this.gone = true;
    this.end();
    this.switchOff();
  }
}

function whatIsLacking() {
  if (!window.isSecureContext) {
    return WORDS.insecure;
  }
  if ((document.featurePolicy || document.permissionsPolicy)?.allowsFeature("camera") === false) {
    return WORDS.notLent;
  }
  if (!navigator.mediaDevices?.getUserMedia) return WORDS.noCamera;
  if (!window.MediaRecorder || !KINDS.some((kind) => MediaRecorder.isTypeSupported(kind))) {
    return WORDS.noRecorder;
  }
  return "";
}

function asDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

export default mounting("[data-a2-recorder]", Recorder);
