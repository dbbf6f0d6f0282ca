/** Runs beside the page, in the audio's own thread: hands over what the microphone gives, block by block. */

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

class Capture extends AudioWorkletProcessor {
  process([input]: Float32Array[][]): boolean {
    const block = input?.[0];
    if (block) this.port.postMessage(block.slice());
    return true;
  }
}

registerProcessor('capture', Capture);
