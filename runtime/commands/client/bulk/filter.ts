import type { Command } from 'commander'
import { Invalid } from '../../../errors.ts'
import type { BulkFilter, BulkPatch, PatchOperation } from '../../../client/openapi.d.ts'
import { jsonOfFlag } from '../../terminal/input.ts'
import { filterQuery } from '../trash/filter.ts'
import type { Filter } from '../trash/filter.ts'

export const isFiltered = (filter: Filter): boolean => Object.keys(filterQuery(filter)).length > 0

/** The API takes no empty filter; before this instant nothing failed. */
const everything = { since: '1970-01-01T00:00:00.000Z' }

export const allOf = (filter: Filter): BulkFilter => (isFiltered(filter) ? filterQuery(filter) : everything)

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
