import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'

/** Addresses whose `X-Forwarded-…` headers are believed: those of reverse proxies. */
export type Proxies = (address: string) => boolean

/** From addresses and networks such as `10.0.0.7` and `10.1.0.0/16`, as options.ts has checked them. */
export function proxiesOf(ranges: readonly string[]): Proxies {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** The other end of the connection; null: there is none, as in tests. */
function peerOf(c: Context): string | null {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
  const address = incoming?.socket?.remoteAddress
  return address === undefined ? null : plain(address)
}

/** IPv4 as IPv4, without the zone of a link. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

/** Who calls: the other end of the connection, or before trusted proxies the address that the outermost of them saw. */
export function addressOf(c: Context, isProxy: Proxies): string | null {
  let address = peerOf(c)
  const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map((hop) => plain(hop.trim()))
  while (address !== null && isProxy(address)) {
    const before = hops.pop()
    if (before === undefined || isIP(before) === 0) break
    address = before
  }
  return address
}

/** Scheme, host and port by which a browser reaches this API, as far as it can be known. */
export function originOf(c: Context, isProxy: Proxies): string {
  const { protocol, host } = new URL(c.req.url)
  const peer = peerOf(c)
  if (peer === null || !isProxy(peer)) return `${protocol}//${host}`
  const first = (name: string): string | undefined => c.req.header(name)?.split(',')[0]?.trim()
  const scheme = first('x-forwarded-proto')
  return `${scheme === 'https' || scheme === 'http' ? `${scheme}:` : protocol}//${first('x-forwarded-host') ?? host}`
}

export function isHttps(c: Context, isProxy: Proxies): boolean {
  return originOf(c, isProxy).startsWith('https:')
}
