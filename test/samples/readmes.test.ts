import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = 'workers/samples'
const samples = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/README.md`))

test.each(samples)('the README of %s has ten lines at most, and names files that are there', (sample) => {
  const readme = readFileSync(`${folder}/${sample}/README.md`, 'utf8')
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
  const named = [...readme.matchAll(/\b(?:workers|test|docs)\/[\w./-]+\.\w+/g)].map(([file]) => file)
  expect(named.filter((file) => !existsSync(file))).toEqual([])
})
