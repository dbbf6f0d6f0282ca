/** A call rings while the page is at the back: the tab's title changes, and the system shows it. */

const EVERY_MS = 1_000;
/** Where the page is seen, the card is painted first: the title goes to another process, which may be busy. */
const AFTER_THE_CARD_MS = 60;
const SIGN = '●';

/** Returns what ends it. `id`: two tabs that tell of the same call show one notification. */
export function ringOutside(id: string, title: string, text: string): () => void {
  let before = document.title;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shown: Notification | null = null;
  const flash = (): void => {
    const told = document.title.startsWith(SIGN);
    if (!told) before = document.title; // the page may have become another one meanwhile
    document.title = told ? before : `${SIGN} ${text}`;
    timer = setTimeout(flash, EVERY_MS);
  };
  const begin = (): void => {
    flash();
    shown = notify(id, title, text);
  };
  if (document.hidden) begin();
  else timer = setTimeout(begin, AFTER_THE_CARD_MS);
  return () => {
    clearTimeout(timer);
    if (document.title.startsWith(SIGN)) document.title = before;
    shown?.close();
  };
}

function notify(tag: string, title: string, body: string): Notification | null {
  if (!document.hidden || typeof Notification === 'undefined' || Notification.permission !== 'granted') return null;
  try {
    const shown = new Notification(title, { body, tag, icon: '/icon.svg', requireInteraction: true });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
    return shown;
  } catch {
    return null; // phones show notifications of service workers only
  }
}
