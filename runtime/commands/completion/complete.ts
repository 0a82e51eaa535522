/** What may come next on a command line: read from the commands themselves, and names from the engine if it answers at once. */
import type { Argument, Command, Option } from 'commander'
import { dataOf } from '../../client/answer.ts'
import { openEngine } from '../../client/engine.ts'
import type { Engine } from '../../client/engine.ts'
import { Invalid, NotFound, Unavailable } from '../../errors.ts'
import { addressOf } from '../client/find.ts'

interface Candidate {
  readonly word: string
  readonly says?: string
}

const askMs = 1_000
const namesMax = 500

export function define(command: Command): void {
  command
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const program = command.parent
      const found = program === null ? [] : await candidatesFor(program, words)
      // A shell may expand what it gets: nothing but plain words reaches it.
      for (const { word, says = '' } of found)
        if (/^[\w./@:-]+$/.test(word)) console.log(says === '' ? word : `${word}\t${says.replaceAll(/[\t\n:]/g, ' ')}`)
    })
}

/** Candidates for the last of the words; none where any text may stand, so that the shell offers files. */
export async function candidatesFor(program: Command, words: readonly string[]): Promise<Candidate[]> {
  const last = words.at(-1) ?? ''
  const { command, operands, awaiting } = walk(program, words.slice(0, -1))
  const all = awaiting
    ? await valuesOf(awaiting)
    : last.startsWith('-')
      ? flagsOf(command)
      : await wordsOf(command, operands, last)
  return all.filter(({ word }) => word.startsWith(last))
}

interface Place {
  readonly command: Command
  readonly operands: readonly string[]
  /** The flag whose value comes next. */
  readonly awaiting: Option | null
}

function walk(program: Command, words: readonly string[]): Place {
  let [command, awaiting]: [Command, Option | null] = [program, null]
  const operands: string[] = []
  for (const word of words) {
    const inner = command.commands.find((each) => each.name() === word)
    if (awaiting) awaiting = null
    else if (word.startsWith('-')) awaiting = valued(command, word)
    else if (inner && operands.length === 0) command = inner
    else operands.push(word)
  }
  return { command, operands, awaiting }
}

function valued(command: Command, flag: string): Option | null {
  const option = command.options.find(({ long, short }) => long === flag || short === flag)
  return option?.required === true || option?.optional === true ? option : null
}

const choicesOf = ({ argChoices }: Option | Argument): Candidate[] => (argChoices ?? []).map((word) => ({ word }))

/** A flag for a topology takes its name. */
async function valuesOf(option: Option): Promise<Candidate[]> {
  return option.attributeName() === 'topology' ? namesFor('topology', '') : choicesOf(option)
}

function flagsOf(command: Command): Candidate[] {
  const flags = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, description }) => ({ word: long ?? '', says: description }))
  return [...flags, { word: '--help', says: 'say more of it' }]
}

async function wordsOf(command: Command, operands: readonly string[], last: string): Promise<Candidate[]> {
  if (command.commands.length > 0)
    return command.commands
      .filter((each) => !each.name().startsWith('_'))
      .map((each) => ({ word: each.name(), says: each.description() }))
  const expected = command.registeredArguments
  const argument = expected[operands.length] ?? (expected.at(-1)?.variadic === true ? expected.at(-1) : undefined)
  if (argument === undefined) return []
  if (argument.argChoices) return choicesOf(argument)
  const isNew = command.name() === 'add' || command.name() === 'create'
  const of = argument.name() === 'name' && !isNew ? (command.parent?.name() ?? '') : argument.name()
  return namesFor(of, last)
}

/** What the engine has names of, by the argument that takes one. */
const lists = {
  topology: '/api/topologies',
  topologies: '/api/topologies',
  names: '/api/topologies',
  what: '/api/topologies',
  worker: '/api/workers',
  service: '/api/services',
} as const

/** Names that the engine knows; none when it doesn't answer at once: nobody waits for a completion. */
async function namesFor(argument: string, last: string): Promise<Candidate[]> {
  try {
    const engine = openEngine({ ...addressOf({}), timeoutMs: askMs })
    if (argument === 'what' && last.includes('/')) return await nodesOf(engine, last.split('/')[0] ?? '')
    if (!Object.hasOwn(lists, argument)) return []
    const path = lists[argument as keyof typeof lists]
    return (await engine.list(path, {}, namesMax)).map(({ name }) => ({ word: name }))
  } catch (error) {
    if (error instanceof Unavailable || error instanceof NotFound || error instanceof Invalid) return []
    throw error
  }
}

async function nodesOf(engine: Engine, topology: string): Promise<Candidate[]> {
  const path = '/api/topologies/{topology}/nodes'
  const { items } = await dataOf(engine.GET(path, { params: { path: { topology } } }))
  return items.map(({ name, type }) => ({ word: `${topology}/${name}`, says: type }))
}
