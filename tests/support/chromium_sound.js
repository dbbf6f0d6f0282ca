// Runs before any script of a page: a voice instead of a microphone, and ears on what the page plays.
// `sound` is what tests.support.chromium asks.
(() => {
  const RATE = 8000;
  const LENGTH = 4096;
  let voice = VOICE_HZ;
  let refusal = null;
  let mouth = null;
  let ear = null;
  const given = [];
  const playing = new Map();

  async function getUserMedia() {
    if (refusal) throw new DOMException(refusal.message, refusal.name);
    mouth ??= new AudioContext();
    await mouth.resume();
    const oscillator = new OscillatorNode(mouth, { frequency: voice });
    const loudness = new GainNode(mouth, { gain: 0.3 });
    const out = new MediaStreamAudioDestinationNode(mouth, { channelCount: 1 });
    oscillator.connect(loudness).connect(out);
    oscillator.start();
    given.push(...out.stream.getTracks());
    return out.stream;
  }
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = getUserMedia;

  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...source,
    set(stream) {
      source.set.call(this, stream);
      playing.get(this)?.node.disconnect();
      playing.delete(this);
      if (!stream) return;
      ear ??= new AudioContext({ sampleRate: RATE });
      const node = new MediaStreamAudioSourceNode(ear, { mediaStream: stream });
      const analyser = new AnalyserNode(ear, { fftSize: LENGTH });
      node.connect(analyser);
      playing.set(this, { node, analyser });
    },
  });

  /** What all elements that play now play together, as base64 of 32-bit floats. */
  function heard() {
    const sum = new Float32Array(LENGTH);
    for (const [element, { analyser }] of playing) {
      if (element.paused || element.muted) continue;
      const samples = new Float32Array(LENGTH);
      analyser.getFloatTimeDomainData(samples);
      samples.forEach((sample, index) => (sum[index] += sample));
    }
    return btoa(Array.from(new Uint8Array(sum.buffer), (byte) => String.fromCharCode(byte)).join(''));
  }

  window.sound = {
    heard,
    refuse: (name, message) => (refusal = name ? { name, message } : null),
    speak: (hz) => (voice = hz),
    unplug() {
      for (const track of given) track.stop();
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    },
  };
})();
