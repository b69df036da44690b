import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Writes every text packed as small as it gets beside itself, which nginx sends as it is (gzip_static). */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    async writeBundle({ dir = 'dist' }, bundle) {
      for (const name of Object.keys(bundle).filter((name) => /\.(css|html|js|svg)$/.test(name))) {
        const file = join(dir, name);
        await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
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
