// Runs before any script of a page: when something that asks for an answer appeared, and how much the page jumped.
(() => {
  const moments = { shifts: 0, jumped: [], cards: [] };
  window.moments = moments;
  let told = false; // in the turn that takes a frame of a websocket

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', () => {
        told = true;
        setTimeout(() => (told = false));
      });
    }
  };

  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      moments.shifts += value;
      moments.jumped.push(...sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? String(node)));
    }
  }).observe({ type: 'layout-shift', buffered: true });

  new MutationObserver(() => {
    const shown = document.querySelector('section[aria-label="Incoming call"]');
    const last = moments.cards.at(-1);
    if (shown?.querySelector('h2 a') && last && !last.named) last.named = Date.now();
    if (shown && (!last || last.gone)) {
      const alone = !document.title.startsWith('●'); // the browser's own process is told after the picture
      const card = { at: Date.now(), at_once: told, alone, named: 0, painted: 0, gone: 0 };
      moments.cards.push(card);
      requestAnimationFrame(() => setTimeout(() => (card.painted = Date.now())));
    }
    if (!shown && last && !last.gone) last.gone = Date.now();
  }).observe(document, { subtree: true, childList: true });
})();
