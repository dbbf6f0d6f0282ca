/** Writes who may use each address of the API, as its own description says it: the console asks there, not in a list of its own. */
import { readFileSync, writeFileSync } from 'node:fs';

const RIGHTS = { manager: 'manager', admin: 'admin', operator: 'admin' };
const { paths } = JSON.parse(readFileSync(new URL('../build/openapi.json', import.meta.url), 'utf8'));
const asks = Object.entries(paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-right': right }]) => [
      `${method.toUpperCase()} ${path.replace('/api/v1', '')}`,
      RIGHTS[right],
    ]),
  )
  .sort(([one], [other]) => (one < other ? -1 : 1));

const named = asks.map(([ask]) => `  | '${ask}'`).join('\n');
const limited = asks.filter(([, right]) => right).map(([ask, right]) => `  '${ask}': '${right}',\n`);
writeFileSync(
  new URL('src/lib/api/rights.ts', import.meta.url),
  `// Made from the API's description by rights.mjs.\n\n/** Everything that can be asked of the API. */\nexport type Ask =\n${named};\n\n/** What not every user may ask. */\nexport const RIGHTS: Partial<Record<Ask, 'manager' | 'admin'>> = {\n${limited.join('')}};\n`,
);
