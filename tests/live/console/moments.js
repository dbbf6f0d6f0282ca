// Runs before any script of a page: when something that asks for an answer appeared, and how much the page jumped.
(() => {
  const moments = { shifts: 0, jumped: [], cards: [] };
  window.moments = moments;

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
    if (shown && (!last || last.gone)) {
      const card = { at: Date.now(), painted: 0, gone: 0 };
      moments.cards.push(card);
      requestAnimationFrame(() => setTimeout(() => (card.painted = Date.now())));
    }
    if (!shown && last && !last.gone) last.gone = Date.now();
  }).observe(document, { subtree: true, childList: true });
})();
