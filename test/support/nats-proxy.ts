import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { inject } from 'vitest'

/** A way to a NATS server, the tests' one by default, that can be cut: who connects through it sees the server go away and come back. */
export interface NatsProxy {
  readonly url: string
  /** Breaks every connection and takes no new ones. */
  cut(): void
  /** Takes connections again. */
  mend(): void
  close(): Promise<void>
}

export async function natsProxy(natsUrl = inject('natsUrl')): Promise<NatsProxy> {
  const { hostname, port } = new URL(natsUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => (sockets.delete(from), to.destroy()))
      from.pipe(to)
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        destroyAll()
      }),
  }
}
