import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { expect } from '@jest/globals'
import { onMachinesWith } from './on-machines-with.ts'
import { ROOT } from './process.ts'

const asked = `import { missingHere } from '${pathToFileURL(`${ROOT}/test/support/needs.ts`).href}'; console.log([...missingHere().keys()].join())`

onMachinesWith('small disks')('a machine without the programs, and without the right to mount, lacks all that it could lack', () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', asked], {
    ...nobody,
    encoding: 'utf8',
    env: { PATH: '/nonexistent' },
    cwd: '/',
  })
  expect(stdout.trim()).toBe('small disks,age,zstd,mkfifo')
})
