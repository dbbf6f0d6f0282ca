import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onWake } from './wake';

let page: EventTarget & { visibilityState: string };
let frame: EventTarget;
let end: () => void;
const woke = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  frame = new EventTarget();
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', frame.addEventListener.bind(frame));
  vi.stubGlobal('removeEventListener', frame.removeEventListener.bind(frame));
  woke.mockReset();
  end = onWake(woke);
});

afterEach(() => {
  end();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('another network and a page that comes to the front wake it, one that goes to the back does not', () => {
  frame.dispatchEvent(new Event('online'));
  page.dispatchEvent(new Event('visibilitychange'));
  expect(woke).toHaveBeenCalledTimes(2);
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  expect(woke).toHaveBeenCalledTimes(2);
});

test('a clock that jumped has slept, one that runs has not', () => {
  vi.advanceTimersByTime(600_000);
  expect(woke).not.toHaveBeenCalled();
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(5_000);
  expect(woke).toHaveBeenCalledTimes(1);
});

test('nothing is watched any more afterwards', () => {
  end();
  frame.dispatchEvent(new Event('online'));
  expect(woke).not.toHaveBeenCalled();
});
