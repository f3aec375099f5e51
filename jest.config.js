export default {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/progress.js'],
  // Finds what hangs, and measures nothing: on a machine that is busy with other work a test takes many times as long.
  testTimeout: 300_000,
  maxWorkers: 2,
  // A worker grows with each file, and a grown process starts others slowly: git, above all.
  workerIdleMemoryLimit: '450MB',
}
