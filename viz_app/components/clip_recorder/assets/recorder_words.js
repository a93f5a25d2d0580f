// What the recorder says. In Chinese: recorder_words.zh.js, which stands in the place of this file.

const DROP_INSTEAD = "A clip that was recorded elsewhere can be dropped on the page.";
const WORDS = {
  other: "Other camera",
  waiting: "Waiting for the camera: the browser may ask you for leave.",
  ready: (seconds) => `${seconds} seconds, without sound.`,
  record: "Record",
  starting: "Starting …",
  recording: "Recording …",
  stop: "Stop",
  reading: "Reading the clip …",
  again: "Try again",
  nothing: "Nothing was recorded. Try again, and let it run a little longer.",
  tooLarge: "The clip became too large. Try again, and stop sooner.",
  gone: "The camera was taken away. Connect it and try again.",
  insecure: "Browsers lend the camera only to pages over https, and to those of this computer itself (localhost).",
  notLent: 'The page around this one does not lend it the camera: the frame there needs allow="camera".',
  noCamera: "This browser cannot use a camera.",
  noRecorder: "This browser cannot record clips.",
  instead: (lacking) => `${lacking} ${DROP_INSTEAD}`,
  notStarted: (name) => `The camera could not be started (${name}). ${DROP_INSTEAD}`,
  refusals: {
    NotAllowedError: "The browser was not allowed to use the camera. Allow it beside the page’s address, then try again.",
    // In a frame there may be no question at all: browsers other than Chromium do not say which of the two it was.
    Framed: "The browser was not allowed to use the camera. Allow it beside the page’s address; the page around this one has to lend it too, by allow=\"camera\" on its frame.",
    NotFoundError: `No camera was found. Connect one and try again. ${DROP_INSTEAD}`,
    NotReadableError: "The camera gives no picture: another program may be using it. Close that one and try again.",
  },
};

