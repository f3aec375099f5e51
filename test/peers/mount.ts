// Mounts a small disk and ends without unmounting it: node mount.ts '{"bytes"}'. Prints where it is.
import { smallDisk } from '../support/disk.ts'

const { bytes } = JSON.parse(process.argv[2] ?? '') as { bytes: number }
const { path } = await smallDisk(bytes)
process.stdout.write(path, () => process.exit())
