import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Linux keeps what is there in memory. */
const memory = '/dev/shm'
/** Tests leave about a thousand databases of 9 MB. */
const neededBytes = 14 * 1024 ** 3
const prefix = 'sluice-services-'

/**
 * A folder for the services of a run. In memory, where there is plenty: to make a database takes 45 ms there, and 200 on a disk. By
 * `isOnDisk`, and where memory is scarce, among the temporary files.
 */
export async function scratchFolder(isOnDisk: boolean): Promise<string> {
  if (!isOnDisk) await forgetDead()
  const parent = isOnDisk || !(await isRoomy()) ? tmpdir() : memory
  const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`))
  // As root, Postgres runs as another user, who has to get in.
  await chmod(folder, 0o711)
  return folder
}

async function isRoomy(): Promise<boolean> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }))
  const said = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const available = Number(/^MemAvailable: +(\d+) kB$/m.exec(said)?.[1] ?? 0) * 1024
  return Math.min(bavail * bsize, available) > neededBytes
}

/** What runs that were killed left in memory. */
async function forgetDead(): Promise<void> {
  const names = await readdir(memory).catch(() => [])
  for (const name of names) {
    const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? []
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(memory, name), { recursive: true, force: true })
  }
}
