/** “Chrome on Windows”: enough to know one's own browsers apart. */
import { browserOf } from '../../lib/phone/problems';

const NAMES = { chrome: 'Chrome', edge: 'Edge', firefox: 'Firefox', safari: 'Safari', other: '' };
const SYSTEMS: [RegExp, string][] = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function readAgent(agent: string): { browser: string; system: string } {
  return { browser: NAMES[browserOf(agent)], system: SYSTEMS.find(([sign]) => sign.test(agent))?.[1] ?? '' };
}
