import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Instruction {
  readonly name: string
  readonly args: string
}

/** The stages of the Dockerfile, each a list of instructions; the first holds what stands before any FROM. */
const stages: Instruction[][] = [[]]
for (const line of readFileSync('Dockerfile', 'utf8').replaceAll('\\\n', ' ').split('\n')) {
  const [, name, args] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
  if (name === undefined || args === undefined) continue
  if (name === 'FROM') stages.push([])
  stages.at(-1)?.push({ name, args })
}
const final = stages.at(-1) ?? []
const argsOf = (name: string): string[] => final.filter((line) => line.name === name).map(({ args }) => args)

const fromContext = stages
  .flat()
  .filter(({ name, args }) => name === 'COPY' && !args.startsWith('--from='))
  .flatMap(({ args }) => args.split(/\s+/).slice(0, -1))

const allowed = readFileSync('.dockerignore', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1))

test('everything that the Dockerfile copies is in the repository', () => {
  expect(fromContext.filter((path) => !existsSync(path))).toEqual([])
})

test('.dockerignore lets through what the Dockerfile copies, and nothing else', () => {
  const covers = (whole: string, part: string): boolean => part === whole || part.startsWith(whole)
  expect(fromContext.filter((path) => !allowed.some((entry) => covers(entry, path)))).toEqual([])
  expect(allowed.filter((entry) => !fromContext.some((path) => covers(entry, path)))).toEqual([])
})

test('the image knows every workspace, so that npm ci agrees with the lock file', () => {
  const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8')) as { workspaces: string[] }
  expect(fromContext).toEqual(expect.arrayContaining(workspaces.map((folder) => `${folder}/package.json`)))
})

test('the image runs as a user without rights', () => {
  expect(argsOf('USER')).toEqual(['node'])
})

test('the image starts what the build makes of runtime/main.ts', () => {
  expect(argsOf('ENTRYPOINT')).toEqual(['["node", "dist/runtime/main.js"]'])
  expect(existsSync(join('runtime', 'main.ts'))).toBe(true)
})

test('the base image is an argument with a Node that the engine supports', () => {
  const [argument] = stages[0] ?? []
  const major = Number(/^NODE_IMAGE=node:(\d+)-/.exec(argument?.args ?? '')?.[1])
  expect(major).toBeGreaterThanOrEqual(20)
  expect(stages.slice(1).map(([from]) => from?.args.split(' ')[0])).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}'])
})

test('no secret is baked into the image', () => {
  const set = stages.flat().filter(({ name }) => name === 'ENV' || name === 'ARG')
  expect(set.filter(({ args }) => /PASSWORD|TOKEN|SECRET|_KEY/.test(args))).toEqual([])
})
