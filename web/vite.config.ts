import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  resolve: { tsconfigPaths: true },
  build: {
    target: 'es2022',
    // The shop's Content-Security-Policy allows no data: fonts or scripts, so that nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The Host header stays the browser's, as behind nginx: the backend compares it with Origin.
    proxy: { '/api': { target: process.env.BACKEND_URL ?? 'http://localhost:3001', changeOrigin: false } },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    // Midnight differs between zones; dates in tests must not.
    env: { TZ: 'UTC' },
  },
});
