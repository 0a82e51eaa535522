/** Which lane of a partitioned node a message belongs to. Pure; equal on every bridge and after every crash. */
import { parsePartitionKey } from '../topology/lanes/partition-key.ts'
import type { PartitionKey } from '../topology/lanes/partition-key.ts'
import type { Generation } from '../topology/plan.ts'
import type { Message } from './message.ts'

type Keyed = Pick<Message, 'id' | 'key' | 'headers' | 'body'>

/** The place of the key in messages for these lanes; null when there is no such place, or nothing to decide. */
export function partitionKeyOf({ partitions, partitionKey }: Generation): PartitionKey | null {
  return partitions === 1 || partitionKey === null ? null : parsePartitionKey(partitionKey)
}

/** 0 … partitions − 1: by the message's key; one without a key is put anywhere, by its id. */
export function laneOf(key: PartitionKey | null, partitions: number, message: Keyed): number {
  return hashOf(keyAt(key, message) ?? message.key ?? message.id) % partitions
}

/** The key at its place in the message; null when there is none: no such header, a body that isn't JSON, no text or number there. */
export function keyAt(key: PartitionKey | null, { headers, body }: Keyed): string | null {
  if (key === null) return null
  if (key.kind === 'header') return headers[key.name] || null
  const value = valueAt(parsedJson(body), key.tokens)
  if (typeof value === 'string') return value === '' ? null : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

/** Content types say little: what looks like an object or an array is tried. */
function parsedJson(body: Uint8Array): unknown {
  const first = body.find((byte) => byte > 0x20)
  if (first !== 0x7b && first !== 0x5b) return undefined
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

function valueAt(document: unknown, tokens: readonly string[]): unknown {
  let here = document
  for (const token of tokens) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, token)) return undefined
    if (Array.isArray(here) && !/^(0|[1-9]\d*)$/.test(token)) return undefined
    here = (here as Record<string, unknown>)[token]
  }
  return here
}

/** FNV-1a over the text's UTF-16 units, with the final mixing of murmur3: the low bits alone decide between few lanes. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
