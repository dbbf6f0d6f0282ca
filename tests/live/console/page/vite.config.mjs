// Builds the page of the phone alone, with what the console is built with.
export default {
  base: './',
  logLevel: 'warn',
  build: { target: 'es2022', emptyOutDir: true, modulePreload: { polyfill: false } },
};
