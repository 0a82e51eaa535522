import type { Command } from 'commander'
import { Invalid } from '../../../errors.ts'
import type { BulkFilter, BulkPatch, PatchOperation } from '../../../client/openapi.d.ts'
import { moment } from '../../define.ts'
import { jsonOfFlag } from '../../terminal/input.ts'

export interface Filter extends Record<string, unknown> {
  readonly topology?: string
  readonly node?: string
  readonly run?: string
  readonly fingerprint?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
}

export function addFilter(command: Command): Command {
  return command
    .option('--topology <topology>', 'name or id')
    .option('--node <node>', 'name or id')
    .option('--run <run>', 'id')
    .option('--fingerprint <text>', 'messages that failed alike')
    .option('--text <text>', 'part of the error')
    .option('--since <time>', 'from then on; a time, or how long ago, such as 2h', moment('--since'))
    .option('--until <time>', 'before', moment('--until'))
}

/** Those that were said. */
export function filterOf({ topology, node, run, fingerprint, text, since, until }: Filter): Record<string, string> {
  const given = { topology, node, run, fingerprint, text, since, until }
  const said = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(said)
}

export const isFiltered = (filter: Filter): boolean => Object.keys(filterOf(filter)).length > 0

/** The API takes no empty filter; before this instant nothing failed. */
const everything = { since: '1970-01-01T00:00:00.000Z' }

export const allOf = (filter: Filter): BulkFilter => (isFiltered(filter) ? filterOf(filter) : everything)

export interface PatchFlags {
  readonly patch?: string
  readonly merge?: string
}

export function addPatch(command: Command): Command {
  return command
    .option('--patch <json>', 'JSON Patch (RFC 6902) of each body: an array of operations, @file, or - for stdin')
    .option('--merge <json>', 'merge patch (RFC 7396) of each body: JSON, @file, or - for stdin')
}

/** Throws `Invalid`. */
export function patchOf({ patch, merge }: PatchFlags): { patch?: BulkPatch } {
  if (patch !== undefined && merge !== undefined) throw new Invalid('give either --patch or --merge')
  if (merge !== undefined) return { patch: { type: 'merge-patch', value: jsonOfFlag('--merge', merge) } }
  if (patch === undefined) return {}
  const operations = jsonOfFlag('--patch', patch)
  if (!Array.isArray(operations))
    throw new Invalid('--patch takes an array of operations, such as [{"op":"add","path":"/country","value":"DE"}]')
  // The engine says what is wrong with one of them.
  return { patch: { type: 'json-patch', operations: operations as PatchOperation[] } }
}
