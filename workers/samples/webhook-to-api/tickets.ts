import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A ticket system that isn't one: it keeps tickets in memory, one for each `idempotency-key`, and is busy now and then. */
export interface TicketSystem {
  readonly url: string
  readonly tickets: ReadonlyMap<string, unknown>
  close(): Promise<void>
}

/** Every `busyEvery`-th request is a 503; 0: none. */
export async function startTickets({ port = 0, busyEvery = 5 } = {}): Promise<TicketSystem> {
  const tickets = new Map<string, unknown>()
  let requests = 0
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const key = request.headers['idempotency-key']
      const isBusy = busyEvery > 0 && ++requests % busyEvery === 0
      const status = isBusy ? 503 : typeof key === 'string' && request.url === '/tickets' ? 201 : 400
      if (status === 201) tickets.set(key as string, JSON.parse(body) as unknown)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tickets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
