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

export default defineConfig({
  plugins: [svelte(), packed()],
  build: {
    outDir: '../pbx/web/static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    modulePreload: { polyfill: false },
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
