/** A call rings while the page is at the back: the tab's title changes, and the system shows it. */

const EVERY_MS = 1_000;
const SIGN = '●';

/** Returns what ends it. `id`: two tabs that tell of the same call show one notification. */
export function ringOutside(id: string, title: string, text: string): () => void {
  let before = document.title;
  const flash = (): void => {
    const shown = document.title.startsWith(SIGN);
    if (!shown) before = document.title; // the page may have become another one meanwhile
    document.title = shown ? before : `${SIGN} ${text}`;
  };
  flash();
  const timer = setInterval(flash, EVERY_MS);
  const shown = notify(id, title, text);
  return () => {
    clearInterval(timer);
    if (document.title.startsWith(SIGN)) document.title = before;
    shown?.close();
  };
}

function notify(tag: string, title: string, body: string): Notification | null {
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted' || !document.hidden) return null;
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
