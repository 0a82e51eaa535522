import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'

/** Connections whose request may take as long as it likes: its body is of any size, and held back while queues are full. */
const patient = new WeakSet<object>()

/** The request of this connection may come as slowly as its handler allows. Without a server there is nothing to say. */
export function takesLong(c: Context): void {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage }
  if (incoming?.socket) patient.add(incoming.socket)
}

/** False for one that has to come within the time of every request. */
export const mayTakeLong = (socket: object): boolean => patient.has(socket)
