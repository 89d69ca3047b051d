import { defineConfig } from 'vitest/config'

// Functions must keep the text their author wrote: vitest's module runner rewrites imported names inside
// function bodies, so tests run as plain Node modules instead.
export default defineConfig({
  test: {
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    globalSetup: 'test/global-setup.ts',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
