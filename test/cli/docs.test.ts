import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { optionsOf, optionTable } from '../../runtime/options.ts'
import { leavesOf, wholeProgram } from '../../runtime/commands/program/program.ts'
import { eventKinds } from '../../runtime/queue/events.ts'
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

test('docs/cli.md has every command with every flag that is its own', async () => {
  const shared = new Set(optionTable.map(({ flag }) => flag?.split(' ')[0]))
  const missing = leavesOf(await wholeProgram()).flatMap(({ name, command }) => {
    const flags = command.options.flatMap(({ long }) => (long === undefined || shared.has(long) ? [] : [long]))
    return [`\`sluice ${name}`, ...flags].filter((text) => !page.includes(text) && text !== '--output')
  })
  expect(missing).toEqual([])
})

test('sluice events names every kind that is told', async () => {
  const events = leavesOf(await wholeProgram()).find(({ name }) => name === 'events')
  const kind = events?.command.options.find(({ long }) => long === '--kind')
  expect(kind?.description).toBe(`only these: ${eventKinds.join(', ')}`)
})

test('every operation of the API has a command', () => {
  type Paths = Record<string, Record<string, { operationId: string }>>
  const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as { paths: Paths }
  const files = ['runtime/commands/client', 'runtime/client'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  )
  const source = files
    .filter((file) => /(?<!\.d)\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  // Probes and metrics are for those who run the engine, logins for browsers; editors read the schema; the events of one topology
  // are a filter of all. The rest is what the console draws from.
  const ofOthers = ['getHealth', 'getReadiness', 'getMetrics', 'createSession', 'deleteSession', 'getTopologySchema']
  const ofSenders = ['receiveWebhook', 'receiveWebhookPut', 'answerWebhookHandshake']
  const ofConsole = ['listOverview', 'search', 'getNodeHistory', 'getRunStart']
  const notForPeople = [...ofOthers, ...ofSenders, ...ofConsole, 'watchTopologyEvents']
  const unreached = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => !isCalled(source, method.toUpperCase(), path))
      .map(([, { operationId }]) => operationId),
  )
  expect(unreached.sort()).toEqual(notForPeople.sort())
})

/** What is read may be a list, too, which is walked by its path alone. */
function isCalled(source: string, method: string, path: string): boolean {
  const calls = method === 'GET' ? `'${path}'` : `.${method}('${path}'`
  return source.replaceAll(/\.([A-Z]+)\(\s+/g, '.$1(').includes(calls)
}
