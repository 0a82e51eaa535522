import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { leavesOf, wholeProgram } from '../../runtime/commands/program/program.ts'

const folder = 'workers/samples'
const samples = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/README.md`))

test.each(samples)('the README of %s has ten lines at most, and names files that are there', (sample) => {
  const readme = readFileSync(`${folder}/${sample}/README.md`, 'utf8')
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
  const named = [...readme.matchAll(/\b(?:workers|test|docs)\/[\w./-]+\.\w+/g)].map(([file]) => file)
  expect(named.filter((file) => !existsSync(file))).toEqual([])
})

test.each(samples)('the README of %s names commands and flags that there are', async (sample) => {
  const readme = readFileSync(`${folder}/${sample}/README.md`, 'utf8')
  const leaves = leavesOf(await wholeProgram()).toSorted((a, b) => b.name.length - a.name.length)
  const lines = [...readme.matchAll(/(?:`|npm run -s )sluice (?:-- )?([^`\n]+)|npm start -- ([^`\n]+)/g)]
  const unknown = lines.flatMap(([, line, dev]) => {
    const words = line ?? `dev ${dev}`
    const found = leaves.find(({ name }) => words === name || words.startsWith(`${name} `))
    const flags = found?.command.options.map(({ long }) => long)
    const used = words.match(/ --[a-z][\w-]*/g) ?? []
    return flags === undefined ? [words] : used.filter((flag) => !flags.includes(flag.trim()))
  })
  expect(unknown).toEqual([])
})
