import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** It names this file, too. */
const thisFile = 1
const text = readFileSync('docs/guarantees.md', 'utf8')
const proofs = [...text.matchAll(/`(test\/[^`]+\.test\.ts)` › "([^"]+)"/g)].map(([, file = '', title = '']) => ({
  file,
  title,
}))

/** Rows of the tables whose last column is the proof. */
function promises(): string[] {
  return text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line.startsWith('|')))
    .filter(([head]) => head?.endsWith('| proof |'))
    .flatMap((table) => table.slice(2))
}

test('every test that docs/guarantees.md names is there, under its title', () => {
  const missing = proofs.filter(({ file, title }) => {
    const source = existsSync(file) ? readFileSync(file, 'utf8') : ''
    return !["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`))
  })
  expect(missing).toEqual([])
})

test('every promise names its proof, and none is written in another way', () => {
  const unproven = promises().filter((row) => !/` › "/.test(row) && !row.includes('none in `npm test`'))
  expect(unproven).toEqual([])
  expect(text.match(/test\/[\w./-]+\.test\.ts/g)).toHaveLength(proofs.length + thisFile)
})

test('each invariant of docs/design.md has its promises', () => {
  const numbers = [...readFileSync('docs/design.md', 'utf8').matchAll(/^- \*\*(I\d+)\*\*/gm)].map(([, id]) => id)
  expect([...text.matchAll(/^## (I\d+) /gm)].map(([, id]) => id)).toEqual(numbers)
  expect(numbers).toHaveLength(9)
})
