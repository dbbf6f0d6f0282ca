/**
 * The moments at which a connection that looks sound may not be: back from sleep, another network, another tab in front.
 * To be wrong costs one message, so a clock that jumped by less than a nap counts, too.
 */

const TICK_MS = 5_000;
const JUMP_MS = 15_000;

/** Returns what ends the watch. */
export function onWake(woke: () => void): () => void {
  const shown = (): void => {
    if (document.visibilityState === 'visible') woke();
  };
  let ticked = Date.now();
  const clock = setInterval(() => {
    const jumped = Date.now() - ticked > TICK_MS + JUMP_MS;
    ticked = Date.now();
    if (jumped) woke();
  }, TICK_MS);
  addEventListener('online', woke);
  addEventListener('pageshow', woke);
  document.addEventListener('visibilitychange', shown);
  return () => {
    clearInterval(clock);
    removeEventListener('online', woke);
    removeEventListener('pageshow', woke);
    document.removeEventListener('visibilitychange', shown);
  };
}
