import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** A running engine, for `npx vite console`: pages come from here, the API from there. */
const engine = process.env.SLUICE_URL ?? 'http://127.0.0.1:8484'
const api = ['/api', '/start', '/metrics', '/healthz', '/readyz']

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Files, never addresses with the content inside: the content security policy takes scripts from files alone.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // `npm run verify` has a budget for what is loaded first.
    manifest: true,
    chunkSizeWarningLimit: 1_200,
  },
  server: { proxy: Object.fromEntries(api.map((path) => [path, engine])) },
})
