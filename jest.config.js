export default {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  reporters: ['default', '<rootDir>/test/support/progress.js'],
  // Finds what hangs, and measures nothing: on a machine that is busy with other work a test takes many times as long.
  testTimeout: 300_000,
  // One more than a small machine has cores: a test waits for much that takes none, as for the next try.
  maxWorkers: 3,
  // A worker grows with each file, and a grown process starts others slowly: git, above all.
  workerIdleMemoryLimit: '450MB',
}
