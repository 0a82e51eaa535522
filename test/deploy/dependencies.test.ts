import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Versions = Record<string, string> | undefined
interface Manifest {
  dependencies?: Versions
  optionalDependencies?: Versions
  devDependencies?: Versions
  overrides?: Versions
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Manifest
const [engine, sdk, samples] = [manifest('.'), manifest('workers/sdk'), manifest('workers/samples')]
const webConsole = manifest('console')

/** Section of docs/dependencies.md → what it must list. */
const sections: Record<string, Versions> = {
  Engine: { ...engine.dependencies, ...engine.optionalDependencies },
  'SDK (`@sluiceway/worker`)': sdk.dependencies,
  Samples: samples.dependencies,
  'Console (`@sluiceway/console`)': { ...webConsole.dependencies, ...webConsole.devDependencies },
  Development: { ...engine.devDependencies, ...sdk.devDependencies, ...samples.devDependencies },
  Overrides: engine.overrides,
}

function listed(title: string): string[] {
  const page = readFileSync('docs/dependencies.md', 'utf8')
  const section = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name ?? '')
}

test.each(Object.entries(sections))(
  '%s: every dependency has its reason in docs/dependencies.md',
  (title, versions) => {
    expect(listed(title).toSorted()).toEqual(Object.keys(versions ?? {}).toSorted())
  },
)

test('every dependency has an exact version', () => {
  const ranges = Object.values(sections).flatMap((versions) =>
    Object.entries(versions ?? {}).filter(([, version]) => !/^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
  )
  expect(ranges).toEqual([])
})
