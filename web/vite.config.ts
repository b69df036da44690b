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

/** Names what the first script imports in the document, so that it comes beside the first and not after it. */
function preloadMain(): Plugin {
  return {
    name: 'preload-main',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
        const main = chunks.find(({ moduleIds }) => moduleIds.some((id) => id.endsWith('/src/main.tsx')));
        if (!main) throw new Error('the first script imports no src/main.tsx');
        const link = (rel: string, name: string) => ({
          tag: 'link',
          attrs: { rel, crossorigin: true, href: `/${name}` },
          injectTo: 'head' as const,
        });
        const there = (name: string) => html.includes(name);
        const scripts = [main.fileName, ...main.imports].filter((name) => !there(name));
        const styles = [...(main.viteMetadata?.importedCss ?? [])].filter((name) => !there(name));
        return [
          ...scripts.map((name) => link('modulepreload', name)),
          ...styles.map((name) => link('stylesheet', name)),
        ];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), preloadMain(), precompress()],
  resolve: { tsconfigPaths: true },
  build: {
    target: 'es2022',
    // The shop's Content-Security-Policy allows no data: fonts or scripts, so that nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // A visit begins with two scripts, each with all that it imports: browsers ask a server for few files at once.
        codeSplitting: {
          groups: [
            { name: 'first', test: /src\/first\.ts$/, priority: 2 },
            { name: 'main', test: /src\/main\.tsx$/, priority: 1 },
          ],
        },
      },
    },
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
