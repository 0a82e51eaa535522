import { Option } from 'commander'
import type { Command } from 'commander'
import type { TrashHead } from '../../../client/openapi.d.ts'
import { moment } from '../../define.ts'

export interface Filter extends Record<string, unknown> {
  readonly topology?: string
  readonly node?: string
  readonly run?: string
  readonly fingerprint?: string
  readonly tenant?: string
  readonly text?: string
  readonly inBody?: string
  readonly since?: string
  readonly until?: string
}

export function addFilter(command: Command): Command {
  return command
    .option('--topology <topology>', 'name or id')
    .option('--node <node>', 'name or id')
    .option('--run <run>', 'id')
    .option('--fingerprint <text>', 'messages that failed alike')
    .option('--tenant <tenant>', 'on whose behalf')
    .option('--text <text>', 'part of the error')
    .option('--in-body <text>', 'part of what it holds, letter by letter; needs the scope payload')
    .option('--since <time>', 'from then on; a time, or how long ago, such as 2h', moment('--since'))
    .option('--until <time>', 'before', moment('--until'))
}

/** What of the flags the API takes. */
export function filterQuery({ topology, node, run, fingerprint, tenant, text, inBody: body, since, until }: Filter) {
  const given = { topology, node, run, fingerprint, tenant, text, body, since, until }
  const said = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(said) as Partial<Record<keyof typeof given, string>>
}

const states = ['open', 'replayed', 'discarded', 'all'] as const satisfies (TrashHead['state'] | 'all')[]
export type State = (typeof states)[number]

export function stateOption(usual: State): Option {
  return new Option('--state <state>', 'what became of them').choices(states).default(usual)
}

/** What the API takes of it. */
export const stateQuery = (state: State): { state?: TrashHead['state'] } => (state === 'all' ? {} : { state })
