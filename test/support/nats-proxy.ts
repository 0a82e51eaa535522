import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Transform } from 'node:stream'
import { inject } from 'vitest'

/** A way to a NATS server, the tests' one by default, that can be cut: who connects through it sees the server go away and come back. */
export interface NatsProxy {
  readonly url: string
  /** Breaks every connection and takes no new ones. */
  cut(): void
  /** Takes connections again. */
  mend(): void
  /** The server's clock shows another year to who asks through it. */
  putClock(year: number): void
  close(): Promise<void>
}

export async function natsProxy(natsUrl = inject('natsUrl')): Promise<NatsProxy> {
  const { hostname, port } = new URL(natsUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  let year: number | null = null
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => (sockets.delete(from), to.destroy()))
      const through = new Transform({
        transform: (bytes: Buffer, _, done) =>
          done(null, year === null || from === client ? bytes : withYear(bytes, year)),
      })
      from.pipe(through).pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const destroyAll = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      destroyAll()
    },
    mend: () => void (isCut = false),
    putClock: (to) => void (year = to),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        destroyAll()
      }),
  }
}

/** Of answers about streams, which come in one piece. */
function withYear(bytes: Buffer, year: number): Buffer {
  const text = bytes.toString('latin1')
  return Buffer.from(text.replace(/"ts":"\d{4}/g, `"ts":"${year}`), 'latin1')
}
