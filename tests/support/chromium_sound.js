// Runs before any script of a page: a voice instead of a microphone, and ears on what the page plays: streams, recordings,
// and the tones it makes itself. `sound` is what tests.support.chromium asks.
(() => {
  const RATE = 8000;
  const LENGTH = 4096;
  const MADE_LENGTH = 32768; // at 48000 Hz two thirds of a second: longer than the breaks of a ring
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
      if (stream) listen(this, (context) => new MediaStreamAudioSourceNode(context, { mediaStream: stream }));
    },
  });

  function listen(element, source) {
    ear ??= new AudioContext({ sampleRate: RATE });
    const node = source(ear);
    const analyser = new AnalyserNode(ear, { fftSize: LENGTH });
    const loudness = new GainNode(ear, { gain: element.volume });
    element.addEventListener('volumechange', () => (loudness.gain.value = element.volume));
    node.connect(loudness).connect(analyser);
    playing.set(element, { node, analyser });
  }

  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const recorded = this.getAttribute('src') && !playing.has(this);
    if (recorded) listen(this, (context) => new MediaElementAudioSourceNode(context, { mediaElement: this }));
    return play.call(this);
  };

  const speakers = new Map();
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      if (!speakers.has(to.context)) speakers.set(to.context, new AnalyserNode(to.context, { fftSize: MADE_LENGTH }));
      connect.call(this, speakers.get(to.context));
    }
    return connect.call(this, to, ...more);
  };

  /** What the page makes itself (its ring), and whether the browser lets it be heard. */
  function made() {
    const [context, analyser] = [...speakers].at(-1) ?? [];
    const samples = new Float32Array(MADE_LENGTH);
    if (context?.state === 'running') analyser.getFloatTimeDomainData(samples);
    return { state: context?.state ?? 'none', rate: context?.sampleRate ?? RATE, samples: packed(samples) };
  }

  /** Base64 of 32-bit floats. */
  function packed(samples) {
    return btoa(Array.from(new Uint8Array(samples.buffer), (byte) => String.fromCharCode(byte)).join(''));
  }

  /** What all elements that play now play together. */
  function heard() {
    const sum = new Float32Array(LENGTH);
    for (const [element, { analyser }] of playing) {
      if (element.paused || element.muted) continue;
      const samples = new Float32Array(LENGTH);
      analyser.getFloatTimeDomainData(samples);
      samples.forEach((sample, index) => (sum[index] += sample));
    }
    return packed(sum);
  }

  window.sound = {
    heard,
    made,
    refuse: (name, message) => (refusal = name ? { name, message } : null),
    speak: (hz) => (voice = hz),
    unplug() {
      for (const track of given) track.stop();
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    },
  };
})();
