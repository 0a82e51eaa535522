import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { optionsOf, optionTable } from '../../runtime/options.ts'
import { sluice } from './sluice.ts'

const page = readFileSync('docs/cli.md', 'utf8')
const quoted = (text: string | null | undefined): string => (text ? `\`${text}\`` : '–')

test('docs/cli.md lists every option as it is', () => {
  const rows = optionTable.map(({ name, flag, variable, default: usual, says }) => {
    const roles = Object.entries(optionsOf).filter(([, names]) => (names as readonly string[]).includes(name))
    const commands = roles.map(([role]) => role).join(', ')
    return `| ${quoted(flag)} | \`${variable}\` | ${quoted(usual)} | ${commands} | ${says} |`
  })
  const listed = page.split('\n').filter((line) => /^\| (–|`--[\w-]+ <\w+>`) \| `SLUICE_/.test(line))
  expect(listed).toEqual(rows)
})

test('README and docs/cli.md speak of all commands, and of no others', async () => {
  const help = (await sluice(['--help'])).stdout
  const commands = [...help.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name).filter((name) => name !== 'help')
  const texts = page + readFileSync('README.md', 'utf8')
  const spoken = [...texts.matchAll(/`sluice ([a-z]+)|npm run -s sluice -- ([a-z]+)/g)].map(([, a, b]) => a ?? b)
  expect([...new Set(spoken)].filter((name) => name !== 'help').toSorted()).toEqual(commands.toSorted())
})
