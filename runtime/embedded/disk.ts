/** Questions about the disk that the data folder lies on. */
import { readdirSync, statfsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** How full the file system of a folder is; what is kept back for root counts as taken. */
export async function diskOf(folder: string): Promise<{ usedBytes: number; limitBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { usedBytes: (blocks - bavail) * bsize, limitBytes: blocks * bsize }
}

/**
 * How large a folder may become before its disk is full: what it takes, and nearly all of what is free. A nats-server that has
 * a limit refuses what is over it, and goes on; on a disk that is full it writes nothing more until it is started again.
 */
export function roomFor(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return Math.floor(sizeOf(folder) + bavail * bsize * usable)
}

const usable = 0.97

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
