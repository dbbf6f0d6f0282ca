import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vitest/config';

/** The engine serves `name.gz` where a browser takes it: packed once here, not at every request. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const source = file.type === 'chunk' ? file.code : file.source;
          if (/\.(js|css|svg|webmanifest)$/.test(fileName) && source.length > 1024) {
            this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(source, { level: 9 }) });
          }
        }
      },
    },
  };
}

/** What every signed-in page begins with, beside the screen that it shows. */
const BEGINNING = ['lib/shell/Shell.svelte', 'lib/call/Calls.svelte', 'screens/home/Home.svelte'].map((file) =>
  fileURLToPath(new URL(`src/${file}`, import.meta.url)),
);

type Graph = { getModuleInfo: (id: string) => { importedIds: string[] } | null };

/** All that these import: one file, since sixty small ones pack worse, and every screen would have to list them. */
function begins(id: string, graph: Graph): string | null {
  const found = new Set(BEGINNING);
  for (const each of found) graph.getModuleInfo(each)?.importedIds.forEach((imported) => found.add(imported));
  return found.has(id) && !BEGINNING.includes(id) ? 'begin' : null;
}

export default defineConfig({
  plugins: [svelte(), packed()],
  build: {
    outDir: '../pbx/web/static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'base', tags: ['$initial'], priority: 1 },
            { name: begins, debugName: 'begin' },
          ],
        },
      },
    },
  },
  server: {
    // For work on the page: the engine of `make up` answers what is not the page itself.
    proxy: {
      '/api': { target: process.env.SWITCHHOOK_ENGINE ?? 'http://127.0.0.1:8080', ws: true },
      '/sip': { target: process.env.SWITCHHOOK_ENGINE ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
  resolve: {
    alias: { debug: fileURLToPath(new URL('src/lib/phone/silent.cjs', import.meta.url)) },
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  test: { include: ['src/**/*.test.ts'] },
});
