/** The websocket as JsSIP wants it, and besides: when something was heard last, and a way to drop it at once. */

export class SipSocket {
  readonly sip_uri: string;
  via_transport: string;
  /** performance.now() */
  heard = 0;
  /** JsSIP puts its own here. */
  onconnect: () => void = () => {};
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => {};
  ondata: <T>(data: T) => void = () => {};
  /** Of each message that leaves. */
  onsend: (message: string) => void = () => {};
  #socket: WebSocket | null = null;

  constructor(readonly url: string) {
    const { host, protocol } = new URL(url);
    this.sip_uri = `sip:${host};transport=ws`;
    this.via_transport = protocol === 'wss:' ? 'WSS' : 'WS';
  }

  connect(): void {
    if (this.isConnected() || this.isConnecting()) return;
    const socket = new WebSocket(this.url, 'sip');
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => socket === this.#socket && this.onconnect();
    socket.onclose = ({ wasClean, code, reason }) => socket === this.#socket && this.#closed(!wasClean, code, reason);
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.heard = performance.now();
      this.ondata(data);
    };
  }

  disconnect(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Nobody is at the other end any more, although it looks open: closing it properly would take a minute. */
  drop(): void {
    if (!this.#socket) return;
    this.disconnect();
    this.ondisconnect(true, 1006, '');
  }

  send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
    if (!this.isConnected()) return false;
    this.#socket?.send(message as string);
    this.onsend(String(message));
    return true;
  }

  isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.#socket?.readyState === WebSocket.CONNECTING;
  }

  #closed(error: boolean, code: number, reason: string): void {
    this.#socket = null;
    this.ondisconnect(error, code, reason);
  }
}
