// What the recorder says, in Chinese.

const DROP_INSTEAD = "也可以把在别处录好的视频拖到页面上。";
const WORDS = {
  other: "切换摄像头",
  waiting: "正在等待摄像头：浏览器可能会请你允许。",
  ready: (seconds) => `${seconds} 秒，无声。`,
  record: "录制",
  starting: "正在启动……",
  recording: "正在录制……",
  stop: "停止",
  reading: "正在读取视频……",
  again: "再试一次",
  nothing: "什么也没有录到。请再试一次，多录一会儿。",
  tooLarge: "视频太大了。请再试一次，早些停止。",
  gone: "摄像头被拿走了。请接好后再试。",
  insecure: "浏览器只把摄像头借给 https 页面，以及本机自己的页面（localhost）。",
  notLent: '外层页面没有把摄像头借给这一页：那里的框架需要 allow="camera"。',
  noCamera: "此浏览器不能使用摄像头。",
  noRecorder: "此浏览器不能录制视频。",
  instead: (lacking) => `${lacking}${DROP_INSTEAD}`,
  notStarted: (name) => `无法启动摄像头（${name}）。${DROP_INSTEAD}`,
  refusals: {
    NotAllowedError: "浏览器未获允许使用摄像头。请在地址栏旁允许，然后再试。",
    Framed: '浏览器未获允许使用摄像头。请在地址栏旁允许；外层页面也要借出摄像头，在其框架上写 allow="camera"。',
    NotFoundError: `没有找到摄像头。请接上一个再试。${DROP_INSTEAD}`,
    NotReadableError: "摄像头没有画面：可能正被另一个程序使用。请关闭它再试。",
  },
};

