/**
 * Calls of ours that were not answered yet when the connection was lost. JsSIP gives them up without a word that could
 * arrive, and the customer's phone would ring on for nobody: they are cancelled over the next connection. A CANCEL finds
 * its INVITE by Via, Call-ID and CSeq (RFC 3261, 9.2), whichever way it comes.
 */

export class Unanswered {
  readonly #invites = new Map<string, string>();
  readonly #given = new Set<string>();

  /** A message that leaves: the last INVITE of a call is the one with the credentials. */
  sent(message: string): void {
    if (!message.startsWith('INVITE ') || /^To:.*;tag=/im.test(message)) return;
    this.#invites.set(header(message, 'Call-ID'), message);
  }

  /** A call is over; `given`: it was given up. JsSIP's id of a session begins with its Call-ID. */
  over(session: string, given: boolean): void {
    for (const [id, invite] of this.#invites) {
      if (!session.startsWith(id)) continue;
      this.#invites.delete(id);
      if (given) this.#given.add(cancelOf(invite));
    }
  }

  /** What is to be sent over the new connection, once. */
  take(): string[] {
    const cancels = [...this.#given];
    this.#given.clear();
    return cancels;
  }
}

export function cancelOf(invite: string): string {
  const target = invite.split(' ')[1] ?? '';
  const same = ['Via', 'To', 'From', 'Call-ID'].map((name) => `${name}: ${header(invite, name)}`);
  const number = header(invite, 'CSeq').split(' ')[0] ?? '';
  const rest = ['Max-Forwards: 69', `CSeq: ${number} CANCEL`, 'Content-Length: 0'];
  return [`CANCEL ${target} SIP/2.0`, ...same, ...rest, '', ''].join('\r\n');
}

function header(message: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(message)?.[1]?.trim() ?? '';
}
