import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** Where one instance is: every address behind every URL of a worker is one. */
export interface Address {
  readonly url: string
  /** Null: the URL names an IP address itself. */
  readonly ip: string | null
  readonly family: number
}

export const addressKey = ({ url, ip }: Address): string => `${url} ${ip ?? ''}`

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')

/** Whether there is anything to look up: an IP address stays what it is. */
export const hasNames = (urls: readonly string[]): boolean => urls.some((url) => isIP(hostOf(url)) === 0)

/** Looks up a worker's names, as often as it is called. A look-up that fails says nothing about what is known: that stays. */
export function openAddresses(urls: readonly string[], log: Log): () => Promise<readonly Address[]> {
  const lastKnown = new Map<string, readonly Address[]>()
  return async () => {
    const found = await Promise.all(urls.map((url) => addressesOf(url, lastKnown.get(url) ?? [], log)))
    for (const [index, url] of urls.entries()) lastKnown.set(url, found[index] ?? [])
    return found.flat()
  }
}

async function addressesOf(url: string, lastKnown: readonly Address[], log: Log): Promise<readonly Address[]> {
  const host = hostOf(url)
  if (isIP(host) !== 0) return [{ url, ip: null, family: isIP(host) }]
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' })
    return found.map(({ address, family }) => ({ url, ip: address, family }))
  } catch (error) {
    log.warn('the name of a worker can not be resolved', { url, error: textOf(error) })
    return lastKnown
  }
}
